#include "predict/text_input.h"

#include <algorithm>
#include <limits>

#include "base/counted.h"
#include "base/error.h"
#include "base/files.h"
#include "base/parallel.h"
#include "base/text.h"
#include "data/data_folder.h"
#include "data/texts/labelled_texts.h"
#include "data/texts/text_places.h"
#include "io/json.h"
#include "io/utf8.h"

namespace asap::predict {
namespace {

constexpr std::int64_t kTokenizerBatch = 64;  // texts that a thread takes at a time

bool has_records(TextFormat format) {
  return format == TextFormat::csv || format == TextFormat::tsv;
}

/// Most tokens of a text, as in the training.
int most_tokens(const bundle::TrainedModel& model) {
  const int positions = model.config.model.has_positions() && model.config.model.max_tokens > 0
                            ? model.config.model.max_tokens
                            : std::numeric_limits<int>::max();
  return std::min(model.config.data.text.max_tokens, positions);
}

/// The text in a value of JSON.
std::string text_of(const io::Json& value, const std::string& key, const std::string& place) {
  if (value.is_array() || value.is_object())
    throw base::DataError(place + ": expected a text as the value of '" + io::excerpt(key) +
                          "', found an " + value.type_name());
  if (value.is_null()) return "";
  return value.is_string() ? value.get<std::string>() : io::format_json_line(value);
}

/// The two texts of a line.
std::string pair_of(std::string_view line, const config::TextConfig& config,
                    const std::string& place) {
  const std::vector<std::string> texts = base::split(line, '\t');
  if (texts.size() == 1 && line.find(data::kPairSeparator) != std::string_view::npos)
    return texts.front();
  if (texts.size() != 2)
    throw base::DataError(place + ": expected two texts with a tab between them, found " +
                              std::to_string(texts.size()),
                          "`format` tsv reads columns, labels among them");
  return data::join_columns(config, texts, place);
}

/// The texts of one file.
class TextReader final : public InputReader {
 public:
  TextReader(const std::filesystem::path& path, const bundle::TrainedModel& model,
             const InputConfig& config, TextFormat format)
      : model_(model),
        config_(config),
        format_(format),
        bytes_(base::read_file(path)),
        decoded_(bytes_, path.string()),
        quotes_(has_records(format) && delimited_format(model, format).quotes),
        records_(decoded_.text(), quotes_),
        lines_(model, config_, format, path.string()) {
    for (RecordSplitter records(decoded_.text(), quotes_); records.next();)
      if (format == TextFormat::lines || !base::trim(records.record()).empty()) ++total_;
    take_first();
    if (total_ == 0) throw base::DataError(path.string() + ": holds no texts");
  }

  bool read(std::int64_t most, Examples& out, Faults& faults) override {
    std::vector<RawText> texts;
    if (first_) texts.push_back(*std::move(first_));
    first_.reset();
    bool more = true;
    while (std::ssize(texts) < most && (more = records_.next())) {
      try {
        if (auto text = lines_.read(records_.record(), records_.number()))
          texts.push_back(*std::move(text));
      } catch (const base::DataError& error) {
        faults.add(error, records_.number());
      }
    }
    append_texts(model_, texts, config_.threads, out, faults);
    return more;
  }

  std::int64_t total() const override { return total_; }
  bool has_labels() const override { return lines_.has_labels(); }

 private:
  /// The first line says what is in the others.
  void take_first() {
    while (!first_ && records_.next()) {
      const bool counted = format_ == TextFormat::lines || !base::trim(records_.record()).empty();
      first_ = lines_.read(records_.record(), records_.number());
      if (counted && !first_) --total_;  // the header
    }
  }

  const bundle::TrainedModel& model_;
  const InputConfig config_;
  const TextFormat format_;
  const std::string bytes_;
  const io::DecodedText decoded_;
  const bool quotes_;
  RecordSplitter records_;
  TextLineReader lines_;
  std::optional<RawText> first_;
  std::int64_t total_ = 0;
};

}  // namespace

bool RecordSplitter::next() {
  if (!lines_.next()) return false;
  number_ = lines_.number();
  record_ = lines_.line();
  if (!quotes_) return true;
  auto quotes = std::ranges::count(record_, '"');
  while (quotes % 2 == 1 && lines_.next()) {
    quotes += std::ranges::count(lines_.line(), '"');
    const char* begin = record_.data();
    const char* end = lines_.line().data() + lines_.line().size();
    record_ = {begin, static_cast<std::size_t>(end - begin)};
  }
  return true;
}

std::optional<RawText> TextLineReader::read(std::string_view line, std::int64_t number) {
  const std::string place = source_ + ":" + std::to_string(number);
  if (const std::size_t at = io::find_invalid_utf8(line); at != std::string_view::npos)
    throw base::DataError(place + ": byte " + std::to_string(at + 1) + " is not UTF-8",
                          "iconv -f latin1 -t utf8 FILE converts texts in Latin 1");
  if (format_ == TextFormat::lines) return read_text(line, number, place);
  if (base::trim(line).empty()) return std::nullopt;
  if (format_ == TextFormat::jsonl) return read_object(line, number, place);
  return read_record(line, number, place);
}

RawText TextLineReader::read_text(std::string_view line, std::int64_t number,
                                  const std::string& place) const {
  const std::size_t tab = line.find('\t');
  if (model_.config.data.text.pairs)
    return {std::to_string(number), pair_of(line, model_.config.data.text, place), "", place,
            number};
  if (number == 1 && tab != std::string_view::npos &&
      class_of(model_, std::string(base::trim(line.substr(0, tab)))) != data::kNotScored)
    throw base::DataError(place + ": begins with a label of the network and a tab",
                          "`format` tsv reads labels and texts between tabs");
  return {std::to_string(number), std::string(line), "", place, number};
}

RawText TextLineReader::read_object(std::string_view line, std::int64_t number,
                                    const std::string& place) {
  const io::Json object = io::parse_json_line(line, place);
  if (!object.is_object())
    throw base::DataError(place + ": expected an object, found a " + object.type_name(),
                          "every line holds one object: {\"text\": ...}");
  const config::TextConfig& trained = model_.config.data.text;
  if (!keys_) {
    keys_ = choose_keys(object, model_, config_, place);
    data::require_pair(trained, std::ssize(keys_->texts), place);
  }
  RawText text{std::to_string(number), "", "", place, number};
  std::vector<std::string> texts;
  for (const std::string& key : keys_->texts) {
    const auto found = object.find(key);
    if (found == object.end())
      throw base::DataError(place + ": there is no key '" + io::excerpt(key) + "'",
                            "`text_columns` names the keys of the text");
    texts.push_back(text_of(*found, key, place));
  }
  text.text = data::join_columns(trained, texts, place);
  if (const auto label = object.find(keys_->label); label != object.end()) {
    text.label = base::trim(text_of(*label, keys_->label, place));
    has_labels_ = true;
  }
  if (const auto id = object.find(keys_->id); id != object.end())
    text.id = text_of(*id, keys_->id, place);
  return text;
}

io::DelimitedRows TextLineReader::record_of(std::string_view line, std::int64_t number) const {
  try {
    return io::parse_delimited(line, delimited_format(model_, format_), source_, number);
  } catch (const base::DataError& error) {  // its hint is for trainings, whose files may differ
    throw base::DataError(error.what(),
                          "quote a field that contains quotes, and double each quote in it");
  }
}

std::optional<RawText> TextLineReader::read_record(std::string_view line, std::int64_t number,
                                                   const std::string& place) {
  const io::DelimitedRows rows = record_of(line, number);
  const auto count = static_cast<std::size_t>(rows.columns());
  const auto field = [&](std::size_t column) {
    return rows.field(0, static_cast<std::int64_t>(column));
  };
  if (!columns_) {
    std::vector<std::string> first;
    for (std::size_t k = 0; k < count; ++k) first.emplace_back(base::trim(field(k)));
    columns_ = choose_columns(first, model_, config_, place);
    has_labels_ = columns_->label.has_value();
    data::require_pair(model_.config.data.text, std::ssize(columns_->texts), place);
    if (columns_->names_first) return std::nullopt;
  }
  if (count != columns_->count)
    throw base::DataError(place + ": expected " + base::counted(columns_->count, "column") +
                              " as before, found " + std::to_string(count),
                          "is the separator right, and are fields with separators quoted?");
  RawText text{std::to_string(number), "", "", place, number};
  std::vector<std::string> texts;
  for (const std::size_t column : columns_->texts) texts.emplace_back(field(column));
  text.text = data::join_columns(model_.config.data.text, texts, place);
  if (columns_->label) text.label = base::trim(field(*columns_->label));
  if (columns_->id) text.id = field(*columns_->id);
  return text;
}

TextFormat format_of(const std::filesystem::path& path, TextFormat wanted) {
  if (wanted != TextFormat::automatic) return wanted;
  if (data::holds_json_lines(path)) return TextFormat::jsonl;
  std::string name = data::lower_case(path.filename().string());
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  if (name.ends_with(".csv")) return TextFormat::csv;
  return name.ends_with(".tsv") ? TextFormat::tsv : TextFormat::lines;
}

void append_texts(const bundle::TrainedModel& model, const std::vector<RawText>& texts, int threads,
                  Examples& out, Faults& faults) {
  const text::TextCodec& codec = *model.codec;
  const int most = most_tokens(model);
  const std::int64_t count = std::ssize(texts);
  std::vector<std::vector<std::int32_t>> ids(texts.size());
  const auto split = [&](std::int64_t batch, int) {
    const std::int64_t end = std::min(count, (batch + 1) * kTokenizerBatch);
    for (std::int64_t i = batch * kTokenizerBatch; i < end; ++i)
      ids[static_cast<std::size_t>(i)] =
          text::encode_within(*codec.tokenizer, texts[static_cast<std::size_t>(i)].text, most,
                              model.config.data.text.truncation);
  };
  base::parallel_for((count + kTokenizerBatch - 1) / kTokenizerBatch, threads, split);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const RawText& text = texts[i];
    const std::int32_t label = text.label.empty() ? data::kNotScored : class_of(model, text.label);
    if (ids[i].empty()) {
      faults.add(base::DataError(text.place + ": the text is empty"), text.number);
    } else if (!text.label.empty() && label == data::kNotScored) {
      faults.add(base::DataError(text.place + ": the label '" + io::excerpt(text.label) +
                                     "' is no class of the network",
                                 base::suggestion(text.label, codec.labels) +
                                     "; `label_column` none leaves labels out"),
                 text.number);
    } else {
      out.dataset.ids.insert(out.dataset.ids.end(), ids[i].begin(), ids[i].end());
      out.dataset.offsets.push_back(std::ssize(out.dataset.ids));
      out.dataset.labels.push_back(0);
      out.ids.push_back(text.id);
      out.labels.push_back(label);
    }
  }
}

std::unique_ptr<InputReader> open_texts(const std::filesystem::path& path,
                                        const bundle::TrainedModel& model,
                                        const InputConfig& config) {
  if (data::is_folder(path))
    throw base::UsageError("`input`: '" + path.string() + "' is a folder",
                           "name a file of texts: .csv, .tsv, .jsonl, or one text a line");
  return std::make_unique<TextReader>(path, model, config, format_of(path, config.format));
}

}  // namespace asap::predict
