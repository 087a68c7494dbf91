#include "cli/progress.h"

#include <algorithm>
#include <sstream>

#include <doctest/doctest.h>

#include "base/text_table.h"

using namespace asap::base;
using namespace asap::cli;

namespace {

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
  CHECK(
      render_progress(half_way(), screen(140)) ==
      "train ###############---------------  50% 50/100  12 s left  loss 0.5123  accuracy 0.8125  "
      "3,120 images/s  learning rate 9.1e-05");
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
        "train  50% 50/100  12 s left  loss 0.5123  accuracy 0.8125  3,120 images/s  "
        "learning rate 9.1e-05");
}

TEST_CASE("80 columns hold time left, loss, accuracy and rate; the learning rate yields first") {
  ProgressState state = half_way();
  state.done = 1031;
  state.total = 1876;
  CHECK(render_progress(state, screen(80)) ==
        "train  54% 1031/1876  12 s left  loss 0.5123  accuracy 0.8125  3,120 images/s");
  CHECK(render_progress(state, screen(70)) ==
        "train  54% 1031/1876  12 s left  loss 0.5123  accuracy 0.8125");
  CHECK(render_progress(state, screen(50)).find("12 s left  loss 0.5123") != std::string::npos);
  CHECK(render_progress(state, screen(40)).ends_with("12 s left"));
  state.fields.clear();  // as in a comparison
  CHECK(render_progress(state, screen(80)).find("#-") != std::string::npos);
}

TEST_CASE("a rate below ten has its decimals") {
  ProgressState state = half_way();
  for (const auto& [rate, text] : {std::pair(0.3125, "  0.31 images/s"),
                                   {0.0041, "  0.0041 images/s"},
                                   {2.75, "  2.8 images/s"},
                                   {9.99, "  10 images/s"},
                                   {12.4, "  12 images/s"}}) {
    state.items_per_second = rate;
    CHECK(render_progress(state, Terminal{}).find(text) != std::string::npos);
  }
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
