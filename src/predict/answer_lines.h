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
  bool tokens = false;  ///< whether the answers are those of tokens
};

/// A field of CSV, in quotes where it needs them (RFC 4180).
std::string csv_field(std::string_view text);

/// "id,token,label,class,probability,class_2,probability_2", without the columns that are not
/// wanted.
std::string csv_header(const AnswerFormat& format, bool certificate);

/// The lines of predictions.csv of one example, with their ends: one, or one for every token, which
/// are counted from 1. Numbers read back as the same float.
std::string csv_lines(const AnswerFormat& format, const Examples& examples, const Answers& answers,
                      std::int64_t index);

/// One line of predictions.jsonl, with its end: {"id", "label", "class", "probability"}; with
/// several classes also "top": [{"class", "probability"}, ...], most probable first, and with a
/// certificate "column_error", "largest_column_error" and "unusual_heads". Where tokens are
/// answered,
/// {"id", "tokens": [{"label", "class", "probability", "top"}, ...]} with the same certificate.
std::string json_line(const AnswerFormat& format, const Examples& examples, const Answers& answers,
                      std::int64_t index);

}  // namespace asap::predict
