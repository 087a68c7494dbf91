#include "data/texts/json_texts.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "io/json.h"
#include "io/text_lines.h"

namespace asap::data {
namespace {

constexpr const char* kOneLineHint =
    "every line holds one object, {\"label\": ..., \"text\": ...}; jq -c . FILE writes others so";

std::string keys_of(const io::Json& object) {
  std::vector<std::string> keys;
  for (const auto& item : object.items()) keys.push_back(item.key());
  return keys.empty() ? "it has no keys" : "it has " + io::excerpt(base::join(keys, ", "));
}

/// A text, or a value that is written as one.
bool is_plain(const io::Json& value) { return !value.is_array() && !value.is_object(); }

std::string text_of(const io::Json& value) {
  if (value.is_null()) return "";
  return value.is_string() ? value.get<std::string>() : io::format_json_line(value);
}

io::Json parse_object(std::string_view line, const std::string& place) {
  if (base::trim(line).starts_with('['))
    throw base::DataError(place + ": expected an object, found an array",
                          "jq -c '.[]' FILE writes an array of objects as JSON lines");
  io::Json object;
  try {
    object = io::parse_json_line(line, place);
  } catch (const base::DataError& error) {  // its hint needs the format
    throw base::DataError(error.what(), kOneLineHint);
  }
  if (!object.is_object())
    throw base::DataError(place + ": expected an object, found a " + object.type_name(),
                          kOneLineHint);
  return object;
}

/// Picks labels and texts out of objects.
class JsonTextReader {
 public:
  JsonTextReader(const config::TextConfig& config, std::string source) : config_(config) {
    out_.source = std::move(source);
  }

  LabelledTexts read(std::string_view text) {
    for (io::TextLines lines(text); lines.next();) {
      if (base::trim(lines.line()).empty()) continue;
      place_ = out_.source + ":" + std::to_string(lines.number());
      const io::Json object = parse_object(lines.line(), place_);
      if (out_.lines.empty()) choose_keys(object);
      out_.lines.push_back(lines.number());
      add(object);
    }
    if (out_.lines.empty()) throw base::DataError(out_.source + ": holds no texts");
    out_.columns = describe_columns(label_, texts_);
    out_.likely_label = likely_label_of(others_);
    return std::move(out_);
  }

 private:
  void choose_keys(const io::Json& first) {
    label_ = label_key(first);
    texts_ = text_keys(first);
    require_pair(config_, std::ssize(texts_), out_.source);
    for (const auto& item : first.items())
      if (item.key() != label_) others_.emplace_back(item.key()), other_keys_.push_back(item.key());
  }

  std::string label_key(const io::Json& first) const {
    const std::string& name = config_.label_column;
    if (first.contains(name) || !base::parse_number<int>(name)) return name;
    if (first.contains("label")) return "label";
    if (first.size() == 2 && first.contains("text"))
      for (const auto& item : first.items())
        if (item.key() != "text") return item.key();
    throw base::DataError(
        place_ + ": there is no key 'label'",
        "--set data.text.label_column=KEY names the key of the label; " + keys_of(first));
  }

  std::vector<std::string> text_keys(const io::Json& first) const {
    require_distinct(config_.text_columns, config_.text_columns,
                     out_.source + ": data.text.text_columns");
    if (!config_.text_columns.empty()) return config_.text_columns;
    if (first.contains("text") && label_ != "text") return {"text"};
    std::vector<std::string> keys;
    for (const auto& item : first.items())
      if (item.key() != label_ && item.value().is_string()) keys.push_back(item.key());
    if (keys.empty())
      throw base::DataError(
          place_ + ": there is no key with a text beside the label, '" + io::excerpt(label_) + "'",
          "--set data.text.text_columns=[KEY] names the keys of the text; " + keys_of(first));
    return keys;
  }

  void add(const io::Json& object) {
    out_.labels.emplace_back(base::trim(value(object, label_, "label_column")));
    if (out_.labels.back().empty())
      throw base::DataError(place_ + ": the label is empty", "is data.text.label_column right?");
    std::vector<std::string> texts;
    for (const std::string& key : texts_) texts.push_back(value(object, key, "text_columns"));
    out_.texts.push_back(join_columns(config_, texts, place_));
    for (std::size_t i = 0; i < others_.size(); ++i)
      if (const auto found = object.find(other_keys_[i]); found != object.end() && is_plain(*found))
        others_[i].add(text_of(*found));
  }

  std::string value(const io::Json& object, const std::string& key, const char* field) const {
    const auto found = object.find(key);
    if (found == object.end())
      throw base::DataError(
          place_ + ": there is no key '" + io::excerpt(key) + "' (data.text." + field + ")",
          keys_of(object));
    if (!is_plain(*found))
      throw base::DataError(place_ + ": expected a text as the value of '" + io::excerpt(key) +
                                "', found an " + found->type_name(),
                            std::string("is data.text.") + field + " right?");
    return text_of(*found);
  }

  const config::TextConfig& config_;
  LabelledTexts out_;
  std::string place_;  // of the line that is being read
  std::string label_;
  std::vector<std::string> texts_;
  std::vector<ColumnValues> others_;  // of the keys that are not the label's
  std::vector<std::string> other_keys_;
};

}  // namespace

LabelledTexts parse_json_texts(const config::TextConfig& config, std::string_view bytes,
                               const std::string& source) {
  const io::DecodedText decoded(bytes, source);
  return JsonTextReader(config, source).read(decoded.text());
}

LabelledTexts read_json_texts(const config::TextConfig& config, const std::filesystem::path& path) {
  return parse_json_texts(config, base::read_file(path), path.string());
}

}  // namespace asap::data
