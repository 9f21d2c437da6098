// One signature: it stands before every request.

#include <benchmark/benchmark.h>

#include "prefixfs/aws/sigv4.h"

namespace {

using namespace prefixfs;

const aws::Credentials kCredentials{.access_key_id = "AKIAIOSFODNN7EXAMPLE",
                                    .secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                                    .session_token = std::string(900, 't'),
                                    .expires = {},
                                    .source = "example"};

void sign_put(benchmark::State& state) {
  const aws::SignableRequest request{.method = "PUT",
                                     .host = "starscreen-resumes-prod.s3.us-east-1.amazonaws.com",
                                     .encoded_path = "/resumes/0b5c3c0e-6f0e-4a7e-8a57-9b6b0f0c2f11_curriculum%20vitae.pdf",
                                     .query = {},
                                     .headers = {{"content-type", "application/pdf"},
                                                 {"x-amz-checksum-crc64nvme", "rosUhgoHmIg="},
                                                 {"x-amz-server-side-encryption", "AES256"}},
                                     .payload_sha256 = std::string(aws::kUnsignedPayload)};
  const WallTime time{std::chrono::seconds(1'369'353'600)};
  for (auto _ : state) {
    benchmark::DoNotOptimize(aws::sign(request, kCredentials, {.region = "us-east-1"}, time));
  }
}
BENCHMARK(sign_put);

void sign_list(benchmark::State& state) {
  const aws::SignableRequest request{.method = "GET",
                                     .host = "starscreen-resumes-prod.s3.us-east-1.amazonaws.com",
                                     .encoded_path = "/",
                                     .query = {{"list-type", "2"}, {"prefix", "resumes/"}, {"delimiter", "/"}, {"encoding-type", "url"},
                                               {"continuation-token", std::string(80, 'c')}},
                                     .headers = {},
                                     .payload_sha256 = std::string(aws::kUnsignedPayload)};
  const WallTime time{std::chrono::seconds(1'369'353'600)};
  for (auto _ : state) {
    benchmark::DoNotOptimize(aws::sign(request, kCredentials, {.region = "us-east-1"}, time));
  }
}
BENCHMARK(sign_list);

}  // namespace
