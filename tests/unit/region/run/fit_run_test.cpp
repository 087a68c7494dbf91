#include "region/run/fit_run.h"

#include <doctest/doctest.h>

#include "base/files.h"
#include "base/text.h"
#include "region/network/network_file.h"
#include "support/temporary_folder.h"

namespace asap::test {
namespace {

TEST_CASE("points in memory, in any order, are fitted as those of a file") {
  const TemporaryFolder folder;
  region::Samples points;
  std::string lines;
  for (int i = 0; i < 40; ++i) {
    const double x = (i * 17 % 40) / 8.0, y = x * x / 4, weight = 1 + i % 2;
    points.x.push_back(x);
    points.y.push_back(y);
    points.weight.push_back(weight);
    lines += base::format_number(x) + "," + base::format_number(y) + "," +
             base::format_number(weight) + "\n";
  }
  base::write_file_atomically(folder.path() / "points.csv", lines);
  region::FitConfig config;
  config.data = (folder.path() / "points.csv").string();
  config.pieces = "3";
  const region::FitRun of_file = region::run_fit(config, 1, {});
  config.data = "points";
  const region::FitRun of_points = region::run_fit(config, points, 1, {});
  CHECK(region::network_json({of_points.fit.network, of_points.target.interval}) ==
        region::network_json({of_file.fit.network, of_file.target.interval}));
  CHECK(of_points.measures.mse == of_file.measures.mse);
  CHECK(of_points.target.notes == of_file.target.notes);
  CHECK(of_points.target.name == "points");
}

}  // namespace
}  // namespace asap::test
