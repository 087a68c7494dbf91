#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "predict/predictor.h"

namespace asap::predict {

/// How answers are written.
struct AnswerFormat {
  const std::vector<std::string>* class_names = nullptr;
  int top = 1;          ///< classes that are named, the most probable first
  bool labels = false;  ///< whether there is a column of labels
};

/// A field of CSV, in quotes where it needs them (RFC 4180).
std::string csv_field(std::string_view text);

/// "id,label,class,probability,class_2,probability_2", without the columns that are not wanted.
std::string csv_header(const AnswerFormat& format, bool certificate);

/// One line of predictions.csv, with its end. Numbers read back as the same float.
std::string csv_line(const AnswerFormat& format, const Examples& examples, const Answers& answers,
                     std::int64_t index);

/// One line of predictions.jsonl, with its end: {"id", "label", "class", "probability"}; with
/// several classes also "top": [{"class", "probability"}, ...], most probable first, and with a
/// certificate "column_error", "largest_column_error" and "unusual_heads".
std::string json_line(const AnswerFormat& format, const Examples& examples, const Answers& answers,
                      std::int64_t index);

}  // namespace asap::predict
