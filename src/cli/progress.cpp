#include "cli/progress.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>

#include "base/format.h"
#include "base/text_table.h"

namespace asap::cli {
namespace {

constexpr double kScreenInterval = 0.1;  // seconds between two redrawings of the bar
constexpr double kPlainInterval = 5;     // seconds between two lines in a pipe or file
constexpr int kLongestBar = 30;
constexpr int kShortestBar = 8;
constexpr std::size_t kMainFields = 2;  // loss and accuracy

std::string repeated(const std::string& text, int count) {
  std::string result;
  for (int i = 0; i < count; ++i) result += text;
  return result;
}

double fraction_of(const ProgressState& state) {
  if (state.total <= 0) return 1;
  return std::clamp(static_cast<double>(state.done) / static_cast<double>(state.total), 0.0, 1.0);
}

std::string bar(double fraction, int length, const Terminal& terminal) {
  const int filled = static_cast<int>(fraction * length);
  const std::string full = terminal.unicode ? "━" : "#";
  const std::string rest = terminal.unicode ? "─" : "-";
  const std::string begin = terminal.colours ? "\033[32m" : "";
  const std::string middle = terminal.colours ? "\033[90m" : "";
  const std::string end = terminal.colours ? "\033[0m" : "";
  return begin + repeated(full, filled) + middle + repeated(rest, length - filled) + end;
}

std::string percentage(double fraction) {
  const std::string digits = std::to_string(static_cast<int>(100 * fraction));
  return std::string(3 - digits.size(), ' ') + digits + "%";
}

/// How many fields come before the rate.
std::size_t main_fields(const ProgressState& state) {
  return std::min(state.fields.size(), kMainFields);
}

/// "3,120", "0.31"
std::string rate_text(double per_second) {
  if (per_second >= 10) return base::format_count(std::llround(per_second));
  char text[32];
  std::snprintf(text, sizeof text, "%.2g", per_second);
  return text;
}

/// The texts after the bar, most important first: time left, the main fields, the rate, the rest.
std::vector<std::string> details(const ProgressState& state) {
  std::vector<std::string> parts;
  const bool measured = state.items_per_second > 0;
  if (measured && state.done < state.total)
    parts.push_back(base::format_seconds(state.seconds_left) + " left");
  for (const ProgressField& field : state.fields)
    parts.push_back(field.name + " " + base::format_significant(field.value));
  if (!measured) return parts;
  const auto rest = static_cast<std::ptrdiff_t>(state.fields.size() - main_fields(state));
  parts.insert(parts.end() - rest, rate_text(state.items_per_second) + " " + state.item + "/s");
  return parts;
}

}  // namespace

std::string render_progress(const ProgressState& state, const Terminal& terminal) {
  const double fraction = fraction_of(state);
  const std::string position =
      percentage(fraction) + " " + std::to_string(state.done) + "/" + std::to_string(state.total);
  std::vector<std::string> parts = details(state);
  const auto tail = [&] {
    std::string text = position;
    for (const std::string& part : parts) text += "  " + part;
    return text;
  };
  if (!terminal.interactive) return state.title + " " + tail();

  // One column stays free: writing into the last one wraps the line on some terminals.
  const auto room_for_bar = [&] {
    return terminal.columns - 3 -
           static_cast<int>(base::display_width(state.title) + tail().size());
  };
  // The fields after the rate make room for the bar, which makes room for the other texts.
  const std::size_t most = parts.size() + main_fields(state) - state.fields.size();
  while (room_for_bar() < kShortestBar && parts.size() > most) parts.pop_back();
  while (room_for_bar() < -1 && !parts.empty()) parts.pop_back();
  const int length = room_for_bar() < kShortestBar ? 0 : std::min(room_for_bar(), kLongestBar);
  const std::string drawn = length > 0 ? bar(fraction, length, terminal) + " " : "";
  return state.title + " " + drawn + tail();
}

ProgressBar::ProgressBar(const CommonOptions& options, Settings settings)
    : ProgressBar(std::cerr, terminal_on_stderr(), kPlainInterval, std::move(settings)) {
  real_terminal_ = true;
  if (!options.prints_text()) stream_ = nullptr;
}

ProgressBar::ProgressBar(std::ostream& stream, Terminal terminal, double plain_interval,
                         Settings settings)
    : stream_(&stream),
      real_terminal_(false),
      terminal_(terminal),
      interval_(terminal.interactive ? kScreenInterval : plain_interval),
      settings_(std::move(settings)),
      next_draw_(interval_) {
  state_.title = settings_.title;
  state_.item = settings_.item;
  state_.total = settings_.total;
}

ProgressBar::~ProgressBar() { finish(); }

void ProgressBar::start_from(std::int64_t first) {
  first_ = state_.done = first;
  since_start_.restart();
  next_draw_ = interval_;
}

void ProgressBar::update(std::int64_t done, std::vector<ProgressField> fields) {
  state_.done = done;
  state_.fields = std::move(fields);
  drawn_ = false;
  if (stream_ && since_start_.seconds() >= next_draw_) draw();
}

void ProgressBar::draw() {
  const double elapsed = since_start_.seconds();
  const double steps_per_second = static_cast<double>(state_.done - first_) / elapsed;
  state_.items_per_second = steps_per_second * settings_.items_per_step;
  state_.seconds_left = static_cast<double>(state_.total - state_.done) / steps_per_second;
  if (real_terminal_) terminal_.columns = terminal_on_stderr().columns;

  const std::string line = render_progress(state_, terminal_);
  if (terminal_.interactive)
    *stream_ << '\r' << line << "\033[K" << std::flush;  // the escape clears the rest of the line
  else
    *stream_ << line << std::endl;
  line_open_ = terminal_.interactive;
  drawn_ = true;
  next_draw_ = elapsed + interval_;
}

void ProgressBar::finish() {
  if (!stream_) return;
  if (!drawn_) draw();
  if (line_open_) *stream_ << std::endl;
  line_open_ = false;
}

void ProgressBar::print_above(const std::string& line) {
  if (!stream_) return;
  if (line_open_) *stream_ << "\r\033[K";
  *stream_ << line << std::endl;
  line_open_ = false;
  drawn_ = false;
}

}  // namespace asap::cli
