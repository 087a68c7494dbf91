#include "cli/progress.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include <doctest/doctest.h>

#include "base/format.h"
#include "base/text_table.h"
#include "base/version.h"
#include "cli/run_header.h"

namespace {

using namespace asap::base;
using namespace asap::cli;

Terminal screen(int columns) {
  return {.interactive = true, .colours = false, .unicode = false, .columns = columns};
}

ProgressState half_way() {
  return {.title = "train",
          .done = 50,
          .total = 100,
          .fields = {{"loss", 0.51234}, {"accuracy", 0.8125}, {"learning rate", 9.1e-5}},
          .items_per_second = 3120.4,
          .item = "images",
          .seconds_left = 12.3};
}

}  // namespace

TEST_CASE("a wide screen shows bar, numbers, throughput and time left") {
  CHECK(render_progress(half_way(), screen(140)) ==
        "train ###############---------------  50% 50/100  loss 0.5123  accuracy 0.8125  "
        "learning rate 9.1e-05  3,120 images/s  12 s left");
}

TEST_CASE("a line never reaches the last column of the screen, however narrow") {
  for (int columns = 20; columns < 160; ++columns) {
    const std::string line = render_progress(half_way(), screen(columns));
    CHECK_MESSAGE(static_cast<int>(display_width(line)) < columns, line);
    CHECK(line.find("50/100") != std::string::npos);
  }
}

TEST_CASE("a pipe gets a plain line with every number and no bar") {
  CHECK(render_progress(half_way(), Terminal{}) ==
        "train  50% 50/100  loss 0.5123  accuracy 0.8125  learning rate 9.1e-05  3,120 images/s  "
        "12 s left");
}

TEST_CASE("colours and line drawing appear only where the terminal has them") {
  Terminal terminal = screen(100);
  CHECK(render_progress(half_way(), terminal).find('\033') == std::string::npos);
  terminal.unicode = true;
  CHECK(render_progress(half_way(), terminal).find("━") != std::string::npos);
  terminal.colours = true;
  CHECK(render_progress(half_way(), terminal).find("\033[32m") != std::string::npos);
}

TEST_CASE("an empty job is complete from the start") {
  ProgressState state;
  state.title = "none";
  CHECK(render_progress(state, Terminal{}) == "none 100% 0/0");
}

TEST_CASE("in a pipe lines come at the interval and the last state is always printed") {
  std::ostringstream stream;
  {
    ProgressBar bar(stream, Terminal{}, 1000, {.title = "train", .total = 3});
    bar.update(1);
    bar.update(2);
    CHECK(stream.str().empty());
    bar.update(3);
  }
  const std::string text = stream.str();
  CHECK(text.starts_with("train 100% 3/3"));
  CHECK(text.find('\n') == text.size() - 1);
  CHECK(text.find('\r') == std::string::npos);
}

TEST_CASE("on a screen the bar is redrawn in place and its line ended once") {
  std::ostringstream stream;
  ProgressBar bar(stream, screen(80), 0, {.title = "train", .total = 2});
  bar.update(1);
  bar.update(2);
  bar.finish();
  bar.finish();
  const std::string text = stream.str();
  CHECK(text.starts_with("\rtrain "));
  CHECK(text.ends_with("\033[K\n"));
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
}

TEST_CASE("throughput counts only what this process has done") {
  std::ostringstream stream;
  ProgressBar bar(stream, Terminal{}, 0, {.title = "train", .item = "images", .total = 100});
  bar.start_from(100);
  bar.update(100);
  bar.finish();
  // No step was done here, so no throughput can be shown.
  CHECK(stream.str() == "train 100% 100/100\n");
}

TEST_CASE("a line printed above the bar stands on its own") {
  std::ostringstream stream;
  ProgressBar bar(stream, Terminal{}, 1000, {.title = "train", .total = 2});
  bar.print_above("epoch 1: accuracy 0.81");
  CHECK(stream.str() == "epoch 1: accuracy 0.81\n");
}

TEST_CASE("table columns are aligned, words left and numbers right") {
  Table table({{"method", Table::Align::left}, {"accuracy"}});
  table.add_row({"teacher", "0.834"});
  table.add_row({"sinkhorn:1", "0.7"});
  CHECK(table.text() ==
        "method      accuracy\n"
        "----------  --------\n"
        "teacher        0.834\n"
        "sinkhorn:1       0.7\n");
  CHECK_THROWS_AS(table.add_row({"one cell"}), std::exception);
}

TEST_CASE("table width counts characters, not bytes") {
  Table table({{"name", Table::Align::left}, {"x"}});
  table.add_row({"ε = ½", "1"});
  table.add_row({"abcde", "2"});
  CHECK(table.text().find("ε = ½  1\nabcde  2\n") != std::string::npos);
}

TEST_CASE("the run header lists its settings under the title") {
  CommonOptions options;
  options.threads = 2;
  std::ostringstream stream;
  RunHeader header(stream, options, "asap-train", 7);
  const std::string machine = stream.str();
  CHECK(machine.starts_with("asap-train " + version() +
                            "\n  threads     2\n  seed        7\n  SIMD        "));
  header.add("data", "shapes");
  CHECK(stream.str() == machine + "  data        shapes\n");
}

TEST_CASE("a header is silent with --quiet and --json") {
  CommonOptions options;
  options.quiet = true;
  std::ostringstream stream;
  RunHeader(stream, options, "asap-train", 7).add("data", "shapes");
  options.quiet = false;
  options.json = true;
  RunHeader(stream, options, "asap-train", 7).add("data", "shapes");
  CHECK(stream.str().empty());
}

TEST_CASE("numbers are written as people read them") {
  CHECK(format_count(0) == "0");
  CHECK(format_count(999) == "999");
  CHECK(format_count(1234567) == "1,234,567");
  CHECK(format_count(-1000) == "-1,000");
  CHECK(format_seconds(3.21) == "3.2 s");
  CHECK(format_seconds(42.4) == "42 s");
  CHECK(format_seconds(100) == "1:40");
  CHECK(format_seconds(3725) == "1:02:05");
  CHECK(format_seconds(1.0 / 0.0) == "?");
  CHECK(format_bytes(512) == "512 B");
  CHECK(format_bytes(1572864) == "1.5 MiB");
  CHECK(format_fixed(0.12345, 3) == "0.123");
  CHECK(format_fixed(std::nan(""), 3) == "-");
}
