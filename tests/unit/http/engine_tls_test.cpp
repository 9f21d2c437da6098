// TLS against `openssl s_server` with a certificate made on the spot; skipped where the openssl program is missing.

#include <gmock/gmock.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http_fixture.h"
#include "prefixfs/base/unique_fd.h"
#include "support/temp_dir.h"

namespace prefixfs::http {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Ends with its owner.
class Process {
 public:
  Process(std::vector<std::string> words, bool wait) {
    std::vector<char*> arguments;
    for (std::string& word : words) {
      arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      return;
    }
    output_.reset(ends[0]);
    const UniqueFd write_end(ends[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, write_end.get(), 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    if (posix_spawnp(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ) != 0) {
      pid_ = -1;
    }
    posix_spawn_file_actions_destroy(&actions);
    if (wait && pid_ > 0) {
      ::waitpid(pid_, &status_, 0);
      pid_ = -1;
    }
  }
  ~Process() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, &status_, 0);
    }
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  bool succeeded() const { return status_ == 0; }
  /// Reads the output up to a line that begins so, and returns the rest of that line; empty at the end of the output.
  std::string line_after(std::string_view start) {
    std::string line;
    for (char c = 0; ::read(output_.get(), &c, 1) == 1;) {
      if (c != '\n') {
        line += c;
      } else if (line.starts_with(start)) {
        return line.substr(start.size());
      } else {
        line.clear();
      }
    }
    return "";
  }

 private:
  pid_t pid_ = -1;
  int status_ = -1;
  UniqueFd output_;
};

class EngineTlsTest : public EngineTest {
 protected:
  void SetUp() override {
    const Process made({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test", "-addext",
                        "subjectAltName=IP:127.0.0.1", "-keyout", key_, "-out", certificate_},
                       true);
    if (!made.succeeded()) {
      GTEST_SKIP() << "no openssl program";
    }
    server_ = std::make_unique<Process>(
        std::vector<std::string>{"openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", certificate_, "-key", key_, "-www"}, false);
    const std::string address = server_->line_after("ACCEPT ");
    ASSERT_THAT(address, StartsWith("127.0.0.1:"));
    port_ = address.substr(address.rfind(':') + 1);
  }

  test::TempDir dir_;
  std::string key_ = dir_.file("key.pem");
  std::string certificate_ = dir_.file("certificate.pem");
  std::unique_ptr<Process> server_;
  std::string port_;
};

TEST_F(EngineTlsTest, UntrustedCertificateSaysWhatToDo) {
  const auto response = perform(get("https://127.0.0.1:" + port_ + "/"));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Errc::invalid);
  EXPECT_THAT(response.error().what, AllOf(StartsWith("TLS: the certificate of https://127.0.0.1:" + port_ + " is not trusted ("),
                                           HasSubstr("self-signed certificate"), HasSubstr("set AWS_CA_BUNDLE or fix the certificate")));
}

TEST_F(EngineTlsTest, CaBundleMakesItTrusted) {
  engine = make_curl_engine({.ca_bundle = certificate_});
  const auto response = perform(get("https://127.0.0.1:" + port_ + "/"));
  ASSERT_TRUE(response) << response.error().what;
  EXPECT_EQ(response->status, 200);
}

TEST_F(EngineTlsTest, CertificateOfAnotherHostIsRefused) {
  engine = make_curl_engine({.ca_bundle = certificate_});
  const auto response = perform(get("https://localhost:" + port_ + "/"));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Errc::invalid);
  EXPECT_THAT(response.error().what, StartsWith("TLS: the certificate of https://localhost:" + port_ + " is not trusted ("));
}

}  // namespace
}  // namespace prefixfs::http
