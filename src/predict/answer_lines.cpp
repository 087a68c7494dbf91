#include "predict/answer_lines.h"

#include <array>
#include <charconv>

#include "base/text.h"
#include "io/json.h"

namespace asap::predict {
namespace {

/// Shortest decimal text that reads back as the same float.
std::string format_float(float value) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

std::string json_text(std::string_view text) { return io::format_json_line(io::Json(text)); }

/// A class and its probability.
struct Ranked {
  const std::string* name;
  std::string probability;
};

/// row: of the answers.
std::vector<Ranked> ranked_classes(const AnswerFormat& format, const Answers& answers,
                                   std::int64_t row) {
  const tensor::VectorView<const float> logits = answers.logits.rows().row(row);
  const std::vector<float> probabilities = class_probabilities(logits);
  std::vector<Ranked> ranked;
  for (const std::int32_t k : top_classes(logits, format.top))
    ranked.push_back({&(*format.class_names)[static_cast<std::size_t>(k)],
                      format_float(probabilities[static_cast<std::size_t>(k)])});
  return ranked;
}

/// The name of the label; empty when it is not known.
std::string label_name(const AnswerFormat& format, const Examples& examples, std::int64_t row) {
  const std::int32_t label = examples.labels[static_cast<std::size_t>(row)];
  return label == data::kNotScored ? "" : (*format.class_names)[static_cast<std::size_t>(label)];
}

/// "label":..,"class":..,"probability":..,"top":[..] of one answer.
std::string json_answer(const AnswerFormat& format, const Examples& examples,
                        const Answers& answers, std::int64_t row) {
  const std::vector<Ranked> ranked = ranked_classes(format, answers, row);
  std::string text;
  if (const std::string label = label_name(format, examples, row); !label.empty())
    text += "\"label\":" + json_text(label) + ",";
  text += "\"class\":" + json_text(*ranked[0].name) + ",\"probability\":" + ranked[0].probability;
  if (format.top == 1) return text;
  text += ",\"top\":[";
  for (std::size_t k = 0; k < ranked.size(); ++k)
    text += (k == 0 ? "" : ",") + ("{\"class\":" + json_text(*ranked[k].name)) +
            ",\"probability\":" + ranked[k].probability + "}";
  return text + "]";
}

}  // namespace

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string field = "\"";
  for (const char c : text) field += c == '"' ? "\"\"" : std::string(1, c);
  return field + '"';
}

std::string csv_header(const AnswerFormat& format, bool certificate) {
  std::string header = "id,";
  if (format.tokens) header += "token,";
  if (format.labels) header += "label,";
  header += "class,probability";
  const auto classes = static_cast<int>(format.class_names->size());
  for (int k = 2; k <= std::min(format.top, classes); ++k)
    header += ",class_" + std::to_string(k) + ",probability_" + std::to_string(k);
  return header + (certificate ? ",column_error,largest_column_error\n" : "\n");
}

std::string csv_lines(const AnswerFormat& format, const Examples& examples, const Answers& answers,
                      std::int64_t index) {
  std::string lines;
  for (std::int64_t i = 0; i < examples.answer_count(index); ++i) {
    const std::int64_t row = examples.first_answer(index) + i;
    lines += csv_field(examples.ids[static_cast<std::size_t>(index)]);
    if (format.tokens) lines += ',' + std::to_string(i + 1);
    if (format.labels) lines += ',' + csv_field(label_name(format, examples, row));
    for (const Ranked& ranked : ranked_classes(format, answers, row))
      lines += ',' + csv_field(*ranked.name) + ',' + ranked.probability;
    if (!answers.certificates.empty()) {
      const Certificate& certificate = answers.certificates[static_cast<std::size_t>(index)];
      lines += ',' + base::format_number(certificate.mean) + ',' +
               base::format_number(certificate.largest);
    }
    lines += '\n';
  }
  return lines;
}

std::string json_line(const AnswerFormat& format, const Examples& examples, const Answers& answers,
                      std::int64_t index) {
  std::string line = "{\"id\":" + json_text(examples.ids[static_cast<std::size_t>(index)]) + ",";
  const std::int64_t first = examples.first_answer(index);
  if (format.tokens) {
    line += "\"tokens\":[";
    for (std::int64_t i = 0; i < examples.answer_count(index); ++i)
      line += (i == 0 ? "{" : ",{") + json_answer(format, examples, answers, first + i) + "}";
    line += "]";
  } else {
    line += json_answer(format, examples, answers, first);
  }
  if (!answers.certificates.empty()) {
    const Certificate& certificate = answers.certificates[static_cast<std::size_t>(index)];
    line += ",\"column_error\":" + base::format_number(certificate.mean) +
            ",\"largest_column_error\":" + base::format_number(certificate.largest);
    if (certificate.unusual_heads)
      line += ",\"unusual_heads\":" + std::to_string(*certificate.unusual_heads);
  }
  return line + "}\n";
}

}  // namespace asap::predict
