#include "io/metrics.h"

#include <cmath>
#include <fstream>

#include <doctest/doctest.h>

#include "base/files.h"
#include "support/expect_error.h"
#include "support/temporary_folder.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::test;

TEST_CASE("every line of the metrics is in the file as soon as it is written") {
  const TemporaryFolder folder;
  MetricsWriter metrics(folder / "metrics.jsonl");
  CHECK(read_file(folder / "metrics.jsonl").empty());
  metrics.write({{"step", 1}, {"loss", 0.5}});
  CHECK(read_file(folder / "metrics.jsonl") == "{\"loss\":0.5,\"step\":1}\n");
  metrics.write({{"step", 2}, {"loss", std::nan("")}});
  CHECK(read_file(folder / "metrics.jsonl") ==
        "{\"loss\":0.5,\"step\":1}\n{\"loss\":null,\"step\":2}\n");
}

TEST_CASE("a resumed run drops the lines it will write again and a line cut off by a crash") {
  const TemporaryFolder folder;
  const auto path = folder / "metrics.jsonl";
  std::ofstream(path) << "{\"step\":1}\n{\"step\":2}\n{\"event\":\"x\",\"step\":2}\n{\"step\":3}\n"
                         "not json\n{\"loss\":1}\n{\"st";
  MetricsWriter metrics(path, 2);
  metrics.write({{"step", 3}, {"again", true}});
  CHECK(read_file(path) ==
        "{\"step\":1}\n{\"step\":2}\n{\"event\":\"x\",\"step\":2}\n{\"again\":true,\"step\":3}\n");
}

TEST_CASE("a new run starts with empty metrics and a resumed one may have none yet") {
  const TemporaryFolder folder;
  const auto path = folder / "metrics.jsonl";
  std::ofstream(path) << "{\"step\":1}\n";
  { MetricsWriter metrics(path); }
  CHECK(read_file(path).empty());
  std::filesystem::remove(path);
  MetricsWriter resumed(path, 5);
  resumed.write({{"step", 6}});
  CHECK(read_file(path) == "{\"step\":6}\n");
}

TEST_CASE("a metrics line without a step is a defect, a folder that is missing is a data error") {
  const TemporaryFolder folder;
  MetricsWriter metrics(folder / "metrics.jsonl");
  CHECK_THROWS_AS(metrics.write({{"loss", 1}}), InternalError);
  expect_error<DataError>([&] { MetricsWriter(folder / "none/metrics.jsonl"); }, {"none"});
}
