// relu-fit for functions of several inputs, from formulas and from tables.
#include <cmath>
#include <fstream>

#include "cli/relu_fit_command.h"
#include "support/share.h"

namespace asap::test {
namespace {

TEST_CASE("relu-fit fit of several inputs: files, table, evaluation, regions, any threads") {
  const Workspace work;
  const bool small = !in_full();
  const Words words = {"fit",      "--function",          "x*y",      "--inputs",
                       "x,y",      "--interval",          "-1",       "1",
                       "--points", small ? "120" : "300", "--ridges", "2",
                       "--depth",  small ? "2" : "3",     "--out"};
  const Outcome outcome = relu_fit(words + Words{(work / "xy").string(), "--threads", "1"});
  CAPTURE(outcome.error);
  REQUIRE(outcome.code == 0);
  for (const char* file : {"network.safetensors", "network.json", "relu_fit.h", "fit.csv",
                           "fit.svg", "fit.png", "regions.svg", "summary.json"})
    CHECK(std::filesystem::file_size(work / "xy" / file) > 100);
  const io::Json summary = summary_of(work / "xy");
  CHECK(summary["test_mse"].get<double>() < (small ? 1e-4 : 1e-5));
  CHECK(summary["inputs"] == io::Json{"x", "y"});
  CHECK(summary["parameters"] == (small ? 73 : 113));
  REQUIRE(relu_fit(words + Words{(work / "again").string(), "--threads", "3"}).code == 0);
  for (const char* file : {"network.safetensors", "network.json", "fit.csv", "regions.svg"})
    CHECK(base::read_file(work / "xy" / file) == base::read_file(work / "again" / file));

  const std::string network = (work / "xy" / "network.safetensors").string();
  const Outcome value =
      relu_fit({"eval", "--network", network, "--x", "0.5,0.5,-0.5,0.5", "--json"});
  REQUIRE(value.code == 0);
  CHECK(io::Json::parse(value.out)["y"][0].get<double>() == doctest::Approx(0.25).epsilon(0.1));
  CHECK(io::Json::parse(value.out)["y"][1].get<double>() == doctest::Approx(-0.25).epsilon(0.1));
  const Outcome table = relu_fit(
      {"eval", "--network", network, "--data", (work / "xy" / "fit.csv").string(), "--json"});
  REQUIRE(table.code == 0);
  CHECK(io::Json::parse(table.out)["mse"].get<double>() ==
        doctest::Approx(summary["test_mse"].get<double>()).epsilon(1e-6));
  const Outcome segment =
      relu_fit({"regions", "--network", network, "--from", "-1,-1", "--to", "1,1", "--json"});
  REQUIRE(segment.code == 0);
  CHECK(io::Json::parse(segment.out)["activation_regions"].get<int>() > 4);
  const Outcome plane = relu_fit({"regions", "--network", network, "--json"});
  REQUIRE(plane.code == 0);
  CHECK(io::Json::parse(plane.out)["activation_regions"].get<int>() > 16);
}

TEST_CASE("relu-fit fit of a table compares with networks of equal parameters") {
  const Workspace work;
  std::ofstream csv(work / "rows.csv");
  csv << "a,b,unused,f\n";
  for (int i = 0; i < 160; ++i) {
    const double a = std::sin(i * 1.7), b = std::cos(i * 0.9);
    csv << a << "," << b << ",text," << 3 + a * a + b << "\n";
  }
  csv.close();
  const Outcome outcome =
      relu_fit({"fit", "--data", (work / "rows.csv").string(), "--target", "f", "--inputs", "a,b",
                "--depth", "2", "--ridges", "1", "--compare", "--out", (work / "out").string()});
  CAPTURE(outcome.error);
  REQUIRE(outcome.code == 0);
  const io::Json summary = summary_of(work / "out");
  REQUIRE(summary["methods"].size() == 6);
  CHECK(summary["rows"]["training"].get<int>() + summary["rows"]["validation"].get<int>() +
            summary["rows"]["test"].get<int>() ==
        160);
  for (const char* name : {"region", "kaiming", "dense", "adam", "kan", "linear"})
    CHECK(contains(outcome.out, name));
}

TEST_CASE("relu-fit fit of several inputs refuses what does not fit together") {
  const Workspace work;
  const std::string out = (work / "out").string();
  std::ofstream(work / "rows.csv") << "a,f\n1,2\n2,3\n";
  const std::string rows = (work / "rows.csv").string();
  expect_refusal({"fit", "--data", rows, "--target", "g", "--out", out}, 3, "no column 'g'");
  expect_refusal({"fit", "--data", rows, "--target", "f", "--out", out}, 3, "rows leave");
  expect_refusal({"fit", "--data", rows, "--inputs", "a", "--out", out}, 2, "--target");
  for (const char* fraction : {"0", "nan", "-0.1", "0.6"})
    for (const std::string flag : {"--test", "--validation"})
      expect_refusal({"fit", "--data", rows, "--target", "f", flag + "=" + fraction, "--out", out},
                     2, flag);
  expect_refusal({"fit", "--function", "x*y", "--out", out}, 2, "y");
  expect_refusal({"fit", "--function", "x*y", "--inputs", "x,y", "--windows", "4", "--out", out}, 2,
                 "for one input");
  expect_refusal({"fit", "--function", "x", "--ridges", "2", "--out", out}, 2, "several inputs");
  expect_refusal({"fit", "--function", "x*z", "--inputs", "x,y", "--out", out}, 2, "z");
  CHECK_FALSE(std::filesystem::exists(out));
}

}  // namespace
}  // namespace asap::test
