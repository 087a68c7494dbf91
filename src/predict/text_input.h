#pragma once

#include <string_view>

#include "io/delimited.h"
#include "io/text_lines.h"
#include "predict/input.h"
#include "predict/text_columns.h"

namespace asap::predict {

/// One text and what is known of it.
struct RawText {
  std::string id, text;
  std::string label = {};   ///< empty: not known
  std::string place = {};   ///< "FILE:LINE"
  std::int64_t number = 0;  ///< of the line, from 1
};

/// Picks text, label and identifier out of the lines of one file. The columns or keys are chosen by
/// its first line; an example without identifier is called by the number of its line.
class TextLineReader {
 public:
  /// format: not automatic. `source` names the file. Model and configuration must outlive it.
  TextLineReader(const bundle::TrainedModel& model, const InputConfig& config, TextFormat format,
                 std::string source)
      : model_(model), config_(config), format_(format), source_(std::move(source)) {}

  /// The text of a line (of CSV and TSV: a record), by its number from 1; nothing for a header and,
  /// but for plain lines, for an empty line. DataError names source and line.
  std::optional<RawText> read(std::string_view line, std::int64_t number);
  /// Whether the lines have labels; known after the first.
  bool has_labels() const { return has_labels_; }

 private:
  RawText read_text(std::string_view line, std::int64_t number, const std::string& place) const;
  RawText read_object(std::string_view line, std::int64_t number, const std::string& place);
  /// The fields of a line of CSV or TSV.
  io::DelimitedRows record_of(std::string_view line, std::int64_t number) const;
  std::optional<RawText> read_record(std::string_view line, std::int64_t number,
                                     const std::string& place);

  const bundle::TrainedModel& model_;
  const InputConfig& config_;
  const TextFormat format_;
  const std::string source_;
  std::optional<TextColumns> columns_;
  std::optional<TextKeys> keys_;
  bool has_labels_ = false;
};

/// Goes through the records of CSV and TSV, which may hold line ends in quotes, or through lines.
class RecordSplitter {
 public:
  RecordSplitter(std::string_view text, bool quotes) : lines_(text), quotes_(quotes) {}
  bool next();
  std::string_view record() const { return record_; }
  /// The number of its first line, from 1.
  std::int64_t number() const { return number_; }

 private:
  io::TextLines lines_;
  bool quotes_;
  std::string_view record_;
  std::int64_t number_ = 0;
};

/// The format of a file by its ending, or the one that was asked for.
TextFormat format_of(const std::filesystem::path& path, TextFormat wanted);

/// Appends the token ids of texts in their order. Texts without tokens and unknown labels go to
/// `faults`.
void append_texts(const bundle::TrainedModel& model, const std::vector<RawText>& texts, int threads,
                  Examples& out, Faults& faults);

std::unique_ptr<InputReader> open_texts(const std::filesystem::path& path,
                                        const bundle::TrainedModel& model,
                                        const InputConfig& config);

}  // namespace asap::predict
