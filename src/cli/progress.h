#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "base/timing.h"
#include "cli/options.h"
#include "cli/terminal.h"

namespace asap::cli {

/// A named number beside the bar: {"loss", 0.5123}.
struct ProgressField {
  std::string name;
  double value;
};

/// The state of a long job.
struct ProgressState {
  std::string title;       ///< "train"
  std::int64_t done = 0;   ///< steps finished
  std::int64_t total = 0;  ///< steps in all
  std::vector<ProgressField> fields;
  double items_per_second = 0;  ///< 0: not known yet
  std::string item;             ///< what throughput counts: "images"
  double seconds_left = 0;
};

/// One line without a newline. On a screen it is at most terminal.columns wide: the bar shrinks
/// first, then the fields after the rate are dropped, then the bar, then the other texts from the
/// last. Elsewhere it is a plain line with every field.
///
///   train ━━━━━━━━━━━───  55% 1031/1876  12 s left  loss 0.5123  accuracy 0.8125  3,120 images/s
std::string render_progress(const ProgressState& state, const Terminal& terminal);

/// Shows the progress of a loop on stderr: a bar redrawn in place on a screen, a line every few
/// seconds in a pipe or file, nothing with --quiet or --json.
class ProgressBar {
 public:
  struct Settings {
    std::string title;           ///< "train"
    std::string item = "steps";  ///< what throughput counts
    std::int64_t total = 0;      ///< steps in all
    double items_per_step = 1;   ///< batch size, when items are examples
  };

  ProgressBar(const CommonOptions& options, Settings settings);
  /// For tests: another stream and terminal, and seconds between two plain lines.
  ProgressBar(std::ostream& stream, Terminal terminal, double plain_interval, Settings settings);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// `first` steps were done before this process began; its throughput does not count them.
  void start_from(std::int64_t first);
  /// For jobs that learn their size only after they start.
  void set_total(std::int64_t total) { state_.total = total; }
  /// `done` of `total` steps are finished. Cheap: most calls draw nothing.
  void update(std::int64_t done, std::vector<ProgressField> fields = {});
  /// Draws the last state and ends the line; the destructor does it otherwise.
  void finish();
  /// Prints a line of text above the bar.
  void print_above(const std::string& line);

 private:
  void draw();

  std::ostream* stream_;  // null: silent
  bool real_terminal_;    // read its width on every draw
  Terminal terminal_;
  double interval_;  // seconds between two drawings
  Settings settings_;
  std::int64_t first_ = 0;
  ProgressState state_;
  base::Stopwatch since_start_;
  double next_draw_ = 0;
  bool line_open_ = false;
  bool drawn_ = true;  // the last state is on the screen
};

}  // namespace asap::cli
