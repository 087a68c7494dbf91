#include "predict/stream.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <vector>

#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "io/json.h"
#include "predict/text_input.h"

namespace asap::predict {
namespace {

constexpr std::size_t kReadBytes = 1 << 16;
constexpr std::size_t kLongestLine = std::size_t{1} << 26;
constexpr std::size_t kMostLines = 1024;  // in one batch

/// Reads complete lines from a descriptor, as many as are there.
class ArrivingLines {
 public:
  explicit ArrivingLines(int descriptor) : descriptor_(descriptor) {}

  /// Waits until there is a complete line or the end; at most kMostLines. Empty at the end. The
  /// views are valid until the next call.
  std::vector<std::string_view> next() {
    buffer_.erase(0, taken_);
    taken_ = 0;
    while (!ended_ && buffer_.find('\n', searched_) == std::string::npos) {
      searched_ = buffer_.size();
      fill();
    }
    searched_ = 0;
    std::vector<std::string_view> lines;
    while (lines.size() < kMostLines && taken_ < buffer_.size()) {
      const std::size_t end = buffer_.find('\n', taken_);
      if (end == std::string::npos && !ended_) break;
      const std::size_t stop = std::min(end, buffer_.size());
      std::string_view line = std::string_view(buffer_).substr(taken_, stop - taken_);
      if (line.ends_with('\r')) line.remove_suffix(1);
      lines.push_back(line);
      taken_ = end == std::string::npos ? stop : stop + 1;
    }
    return lines;
  }

 private:
  void fill() {
    if (buffer_.size() > kLongestLine)
      throw base::DataError("standard input: a line is longer than " +
                            std::to_string(kLongestLine) + " bytes");
    const std::size_t before = buffer_.size();
    buffer_.resize(before + kReadBytes);
    ssize_t count = -1;
    do {
      count = ::read(descriptor_, buffer_.data() + before, kReadBytes);
    } while (count < 0 && errno == EINTR);
    if (count < 0)
      throw base::DataError("standard input cannot be read: " + std::string(std::strerror(errno)));
    buffer_.resize(before + static_cast<std::size_t>(count));
    ended_ = count == 0;
  }

  int descriptor_;
  std::string buffer_;
  std::size_t taken_ = 0, searched_ = 0;
  bool ended_ = false;
};

/// Answers batches of lines.
class LineAnswerer {
 public:
  LineAnswerer(const bundle::TrainedModel& model, Predictor& predictor, const StreamConfig& config)
      : model_(model),
        predictor_(predictor),
        config_(config),
        none_(no_examples(model)),
        format_{&model.class_names, config.top, true},
        reader_(
            model, config.input,
            config.input.format == TextFormat::automatic ? TextFormat::lines : config.input.format,
            "standard input"),
        faults_([this](const base::DataError& error, std::int64_t line) {
          errors_.emplace(line, error);
        }) {}

  /// Appends the answers to `text`; the error that ends the stream, if there is one.
  std::optional<base::DataError> answer(const std::vector<std::string_view>& lines,
                                        std::string& text) {
    std::vector<RawText> texts;
    std::vector<std::int64_t> numbers;  // of lines that get an answer, or an error
    errors_.clear();
    for (const std::string_view line : lines) {
      const std::int64_t number = ++line_;
      try {
        auto read = reader_.read(line, number);
        if (!read) continue;
        texts.push_back(*std::move(read));
      } catch (const base::DataError& error) {
        faults_.add(error, number);
      }
      numbers.push_back(number);
    }
    Examples examples = none_;
    append_texts(model_, texts, config_.input.threads, examples, faults_);
    return write(numbers, examples, text);
  }

  const StreamSummary& summary() const { return summary_; }

 private:
  std::optional<base::DataError> write(const std::vector<std::int64_t>& numbers,
                                       const Examples& examples, std::string& text) {
    const Answers answers = examples.size() > 0 ? predictor_.answer(examples) : Answers{};
    summary_.reruns += answers.reruns;
    std::int64_t next = 0;
    for (const std::int64_t number : numbers) {
      const auto error = errors_.find(number);
      if (error == errors_.end()) {
        text += json_line(format_, examples, answers, next++);
        ++summary_.answered;
        continue;
      }
      if (!config_.keep_going) return error->second;
      text +=
          io::format_json_line({{"id", std::to_string(number)}, {"error", error->second.what()}}) +
          '\n';
      ++summary_.faults;
    }
    return std::nullopt;
  }

  const bundle::TrainedModel& model_;
  Predictor& predictor_;
  const StreamConfig& config_;
  const Examples none_;
  const AnswerFormat format_;
  TextLineReader reader_;
  std::map<std::int64_t, base::DataError> errors_;  // by line
  Faults faults_;
  std::int64_t line_ = 0;
  StreamSummary summary_;
};

}  // namespace

StreamSummary predict_stream(const bundle::TrainedModel& model, Predictor& predictor,
                             const StreamConfig& config,
                             const std::function<void(std::string_view)>& write) {
  if (no_examples(model).dataset.kind != data::ExampleKind::tokens)
    throw base::UsageError(
        "`input` -: the lines of standard input are texts, but the network reads " +
            std::string(data::examples_name(no_examples(model).dataset.kind)),
        "name a file or a folder");
  ArrivingLines arriving(config.descriptor);
  LineAnswerer answerer(model, predictor, config);
  for (auto lines = arriving.next(); !lines.empty(); lines = arriving.next()) {
    std::string text;
    const std::optional<base::DataError> error = answerer.answer(lines, text);
    if (!text.empty()) write(text);
    if (error)
      throw base::DataError(error->what(), error->hint() + (error->hint().empty() ? "" : "; ") +
                                               "`keep_going` answers the others");
  }
  const StreamSummary& summary = answerer.summary();
  if (summary.answered + summary.faults == 0)
    throw base::DataError("standard input: holds no texts",
                          "did what comes before in the pipe fail?");
  return summary;
}

}  // namespace asap::predict
