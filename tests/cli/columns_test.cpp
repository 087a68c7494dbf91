// Which columns of a file of points relu-fit reads, from the command line.
#include <doctest/doctest.h>

#include "base/text.h"
#include "cli/process.h"

using namespace asap::base;
using namespace asap::test;

namespace {

/// A table with a column of words; y = x^2 in the columns time and temp.
constexpr const char* kTable =
    "day,time,temp,sd\nMon,0,0,1\nTue,1,1,2\nWed,2,4,1\nThu,3,9,2\nFri,4,16,1\n";

Outcome fit_columns(const std::string& file, const std::string& out, const Words& more) {
  return run("relu-fit",
             Words{"fit", "--data", file, "--depth", "2", "--method", "free", "--out", out} + more);
}

void check_error(const Outcome& outcome, int code, const std::string& part) {
  const std::string line = last_line(outcome.error);
  CAPTURE(line);
  CHECK(outcome.code == code);
  CHECK(line.find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("columns are chosen by name or number, alike in every command, and it is said") {
  const Workspace work;
  const std::string file = work / "table.csv";
  write_file_atomically(file, kTable);
  const Outcome named = fit_columns(file, work / "a", {"--x", "time", "--y", "temp"});
  REQUIRE_MESSAGE(named.code == 0, named.error);
  CHECK(named.out.find("column 2 'time' is x, column 3 'temp' y; 2 others are left out") !=
        std::string::npos);
  CHECK(named.out.find("on [0, 4], 5 points") != std::string::npos);
  const Outcome counted = fit_columns(file, work / "b", {"--x", "2", "--y", "3"});
  REQUIRE(counted.code == 0);
  const std::string network = work / "a/network.json";
  CHECK(read_file(network) == read_file(work / "b/network.json"));
  CHECK(fit_columns(file, work / "c", {"--set", "x_column=time", "--set", "y_column=3"}).code == 0);
  CHECK(read_file(network) == read_file(work / "c/network.json"));

  REQUIRE(fit_columns(file, work / "w", {"--x", "time", "--y", "temp", "--weight", "sd"}).code ==
          0);
  CHECK(read_file(network) != read_file(work / "w/network.json"));
  CHECK(
      run("relu-fit", {"floor", "--data", file, "--x", "time", "--y", "3", "--pieces", "2"}).code ==
      0);
  const Outcome measured = run("relu-fit", {"eval", "--network", network, "--data", file,
                                            "--x-column", "time", "--y", "3", "--x", "2"});
  CHECK(measured.code == 0);
  CHECK(measured.out.find("mse ") != std::string::npos);

  // Tables of several inputs count their columns in the same way.
  const Words several = {"--inputs", "2", "--target", "temp"};
  write_file_atomically(work / "rows.csv", [] {
    std::string rows = "day,time,temp\n";
    for (int i = 0; i < 60; ++i)
      rows += "Mon," + std::to_string(i) + "," + std::to_string(3 * i) + "\n";
    return rows;
  }());
  CHECK(run("relu-fit", Words{"fit", "--data", work / "rows.csv", "--depth", "2", "--ridges", "1",
                              "--out", work / "rows"} +
                            several)
            .code == 0);
}

TEST_CASE("points and rows from a pipe, which is read once, count as those of a file") {
  const Workspace work;
  const std::string file = work / "table.csv";
  write_file_atomically(file, "x,y\n0,0\n1,1\n2,4\n3,9\n4,16\n");
  const auto of_pipe = [&](const std::string& words) {
    const std::string output = work / "output";
    const std::string shell = "cat " + file + " | " + ASAP_BINARY_DIR + "/relu-fit " + words +
                              " --data /dev/stdin > " + output + " 2>&1";
    CHECK_MESSAGE(std::system(shell.c_str()) == 0, read_file(output));
    return read_file(output);
  };
  REQUIRE(fit_columns(file, work / "a", {}).code == 0);
  of_pipe("fit --depth 2 --method free --out " + (work / "b").string());
  const std::string network = work / "a/network.json";
  CHECK(read_file(network) == read_file(work / "b/network.json"));
  for (const Words& more : {Words{}, Words{"--no-target"}}) {
    const Words words = Words{"eval", "--network", network} + more;
    const Outcome measured = run("relu-fit", words + Words{"--data", file});
    REQUIRE(measured.code == 0);
    CHECK(of_pipe(join(words, " ")) == measured.out);
  }
}

TEST_CASE("columns that are not there, open or useless are refused with the flags that help") {
  const Workspace work;
  const std::string file = work / "table.csv", out = work / "out";
  write_file_atomically(file, kTable);
  const auto fit = [&](const Words& more) { return fit_columns(file, out, more); };
  check_error(fit({"--x", "tmie", "--y", "temp"}), 3,
              "table.csv:1: there is no column 'tmie' (hint: did you mean 'time'? the header names "
              "'day', 'time', 'temp', 'sd'; numbers count columns from 1)");
  check_error(fit({"--x", "0", "--y", "temp"}), 3, "there is no column '0'");
  check_error(fit({}), 3, "choose --x and --y, which leaves others out, or --weight");
  check_error(fit({"--x", "time"}), 3, "3 columns may be y (hint: choose one with --y)");
  check_error(fit({"--x", "day", "--y", "temp"}), 3, "table.csv:2: 'Mon' is not a number");
  check_error(fit({"--x", "time", "--y", "2"}), 2, "--x and --y are both column 2 'time'");
  check_error(fit({"--x", "time", "--target", "temp"}), 2, "take --inputs and --target");
  check_error(run("relu-fit",
                  {"fit", "--data", file, "--inputs", "time", "--target", "heat", "--out", out}),
              3, "there is no column 'heat' (hint: the header names 'day', 'time'");
  check_error(run("relu-fit", {"fit", "--function", "x", "--y", "b", "--out", out}), 2,
              "are columns of --data");
  check_error(run("relu-fit", {"floor", "--function", "x", "--x", "b"}), 2,
              "are columns of --data");
  CHECK_FALSE(std::filesystem::exists(out));
}
