#pragma once
// A running endpoint on a free port, and a client small enough to misbehave.

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "endpoint.h"

namespace prefixfs::devs3 {

struct Answer {
  int status = 0;  ///< 0: the connection ended without an answer
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
  bool complete = false;  ///< the body has Content-Length bytes
  bool continued = false; ///< 100 Continue came first

  /// The text of the first <name> in the body, unescaped only where tests need it.
  std::string element(const std::string& name) const;
  std::string code() const { return element("Code"); }
};

using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// One request on one connection. All x-amz-* headers and host are signed.
struct Call {
  std::string method = "GET";
  std::string target;  ///< encoded path and query
  HeaderList headers;
  std::string body;
  std::string access = "devs3";
  std::string secret = "devs3secret";
  std::string region = "us-east-1";
  std::string token;
  WallTime time = SystemClock().now();
  bool sign = true;
  std::string payload;   ///< x-amz-content-sha256 instead of the right one
  HeaderList unsigned_headers;
  bool send_body = true; ///< false: only the head, then wait for the answer
};

class EndpointTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// Starts again over the same folder.
  void restart();
  Answer send(const Call& call);
  Answer put(const std::string& key, const std::string& body, HeaderList headers = {});
  Answer get(const std::string& key, HeaderList headers = {});
  Answer head(const std::string& key, HeaderList headers = {});
  Answer erase(const std::string& key, HeaderList headers = {});
  Answer list(const std::string& query);
  /// The control interface; null for an answer that is not JSON.
  nlohmann::json control(const std::string& method, const std::string& path, const std::string& body = "");

  Settings settings_;
  std::filesystem::path root_;
  std::unique_ptr<Endpoint> endpoint_;
};

/// The Authorization header for a request with these headers.
std::string authorization(const Call& call, const HeaderList& headers);

}  // namespace prefixfs::devs3
