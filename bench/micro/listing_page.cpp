// One page of ListObjectsV2: ls of 100,000 objects reads a hundred of them.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "xml_listing.h"

namespace {

using namespace prefixfs;

std::string page_of(std::int64_t keys) {
  std::string xml =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name>"
      "<Prefix>resumes/</Prefix><Delimiter>/</Delimiter><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType>"
      "<IsTruncated>false</IsTruncated>";
  for (std::int64_t number = 0; number < keys; ++number) {
    xml += fmt::format(
        "<Contents><Key>resumes/{:08x}-6f0e-4a7e-8a57-9b6b0f0c2f11_curriculum+vitae.pdf</Key>"
        "<LastModified>2026-03-01T12:34:56.000Z</LastModified><ETag>&quot;{:032x}&quot;</ETag><Size>{}</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>",
        number, number, 500'000 + number);
  }
  return xml + "</ListBucketResult>";
}

void read_list_page(benchmark::State& state) {
  const std::string page = page_of(state.range(0));
  for (auto _ : state) {
    auto read = s3::read_list_page(page, "resumes/");
    if (!read || read->objects.size() != static_cast<std::size_t>(state.range(0))) {
      state.SkipWithError("the page was not read");
      break;
    }
    benchmark::DoNotOptimize(read);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(page.size()));
}
BENCHMARK(read_list_page)->Arg(1)->Arg(1000);

}  // namespace
