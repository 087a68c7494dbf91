#include "predict/text_columns.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "data/data_folder.h"
#include "data/texts/labelled_texts.h"
#include "io/number_fields.h"

namespace asap::predict {
namespace {

constexpr const char* kNoLabels = "none";
constexpr const char* kId = "id";

bool is_number(const std::string& name) { return base::parse_number<int>(name).has_value(); }

bool is_usual_name(const std::string& name) {
  static const std::vector<std::string> kUsual = {
      "id",    "index", "text",     "texts",     "label",  "labels",  "class",   "category",
      "title", "body",  "sentence", "sentiment", "review", "content", "comment", "description"};
  return std::ranges::find(kUsual, data::lower_case(name)) != kUsual.end();
}

bool names_columns(const std::vector<std::string>& first, const bundle::TrainedModel& model,
                   const InputConfig& config) {
  if (config.header) return *config.header;
  const text::TextCodec& codec = *model.codec;
  const bool chosen_by_name = !std::ranges::all_of(config.text_columns, is_number) ||
                              (config.label_column && *config.label_column != kNoLabels &&
                               !is_number(*config.label_column));
  const auto trained = [&](const std::string& name) {
    return std::ranges::find(codec.header, name) != codec.header.end();
  };
  return chosen_by_name || std::ranges::all_of(first, trained) ||
         std::ranges::all_of(first, is_usual_name);
}

/// The name that a column had in the training; empty where it had none.
std::string trained_name(const std::string& column, const std::vector<std::string>& header) {
  const auto number = base::parse_number<std::size_t>(column);
  if (!number) return column;
  return *number >= 1 && *number <= header.size() ? header[*number - 1] : "";
}

/// Chooses the columns of one file.
class ColumnChooser {
 public:
  ColumnChooser(const std::vector<std::string>& first, const bundle::TrainedModel& model,
                const InputConfig& config, const std::string& place)
      : trained_(model.config.data.text),
        header_(model.codec->header),
        config_(config),
        place_(place) {
    columns_.count = first.size();
    columns_.names_first = names_columns(first, model, config);
    if (columns_.names_first) names_ = first;
  }

  TextColumns choose() {
    columns_.label = columns_.names_first ? named_label() : unnamed_label();
    if (columns_.names_first) columns_.id = position(kId);
    for (const std::string& name : config_.text_columns) columns_.texts.push_back(find(name));
    data::require_distinct(config_.text_columns, columns_.texts, place_ + ": `text_columns`");
    if (columns_.texts.empty())
      columns_.texts = columns_.names_first ? named_texts() : unnamed_texts();
    if (columns_.texts.empty()) fail("there is no column of texts");
    if (std::ranges::find(columns_.texts, columns_.id) != columns_.texts.end()) columns_.id.reset();
    return columns_;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw base::DataError(
        place_ + ": " + what,
        "`text_columns` and `label_column` name columns or number them from 1, `label_column` none "
        "says that there are no labels; "
        "there are " +
            std::to_string(columns_.count) +
            (names_.empty() ? " without names" : ": " + io::excerpt(base::join(names_, ", "))));
  }

  std::size_t find(const std::string& name) const {
    return io::find_column(name, names_, columns_.count, place_);
  }

  std::optional<std::size_t> position(const std::string& name) const {
    const auto found = std::ranges::find(names_, name);
    if (name.empty() || found == names_.end()) return std::nullopt;
    return static_cast<std::size_t>(found - names_.begin());
  }

  std::optional<std::size_t> named_label() const {
    if (config_.label_column)
      return *config_.label_column == kNoLabels ? std::nullopt
                                                : std::optional(find(*config_.label_column));
    const std::string name = trained_name(trained_.label_column, header_);
    return position(name.empty() ? "label" : name);
  }

  std::optional<std::size_t> unnamed_label() const {
    if (config_.label_column == kNoLabels || columns_.count == 1) return std::nullopt;
    if (!config_.label_column && !is_number(trained_.label_column))
      fail("the first line does not name the column of the training's labels, '" +
           io::excerpt(trained_.label_column) + "'");
    return find(config_.label_column.value_or(trained_.label_column));
  }

  std::vector<std::size_t> all_but_label_and_id() const {
    std::vector<std::size_t> columns;
    for (std::size_t k = 0; k < columns_.count; ++k)
      if (columns_.label != k && columns_.id != k) columns.push_back(k);
    return columns;
  }

  std::vector<std::size_t> named_texts() const {
    std::vector<std::size_t> columns;
    const auto add = [&](const std::string& name) {
      if (const auto at = position(name)) columns.push_back(*at);
    };
    for (const std::string& column : trained_.text_columns) add(trained_name(column, header_));
    if (!trained_.text_columns.empty() && columns.size() == trained_.text_columns.size())
      return columns;
    columns.clear();
    const std::string label = trained_name(trained_.label_column, header_);
    std::size_t wanted = 0;
    for (const std::string& name : header_) {
      if (name == label) continue;
      ++wanted;
      add(name);
    }
    if (trained_.text_columns.empty() && wanted > 0 && columns.size() == wanted) return columns;
    if (const auto text = position("text")) return {*text};
    columns = all_but_label_and_id();
    if (columns.size() > 1 || (wanted > 1 && !columns.empty()))
      fail("which columns hold the text is not clear");
    return columns;
  }

  std::vector<std::size_t> unnamed_texts() const {
    if (columns_.count == 1) return {0};
    if (trained_.text_columns.empty() || !std::ranges::all_of(trained_.text_columns, is_number))
      return all_but_label_and_id();
    std::vector<std::size_t> columns;
    for (const std::string& column : trained_.text_columns) columns.push_back(find(column));
    return columns;
  }

  const config::TextConfig& trained_;
  const std::vector<std::string>& header_;
  const InputConfig& config_;
  const std::string& place_;
  std::vector<std::string> names_;
  TextColumns columns_;
};

}  // namespace

TextColumns choose_columns(const std::vector<std::string>& first, const bundle::TrainedModel& model,
                           const InputConfig& config, const std::string& place) {
  return ColumnChooser(first, model, config, place).choose();
}

TextKeys choose_keys(const io::Json& first, const bundle::TrainedModel& model,
                     const InputConfig& config, const std::string& place) {
  const config::TextConfig& trained = model.config.data.text;
  TextKeys keys;
  if (config.label_column)
    keys.label = *config.label_column == kNoLabels ? "" : *config.label_column;
  else if (!is_number(trained.label_column))
    keys.label = trained.label_column;
  else
    keys.label = "label";
  if (first.contains(kId)) keys.id = kId;
  data::require_distinct(config.text_columns, config.text_columns, place + ": `text_columns`");
  keys.texts = config.text_columns;
  if (keys.texts.empty() && !trained.text_columns.empty() &&
      std::ranges::none_of(trained.text_columns, is_number))
    keys.texts = trained.text_columns;
  if (!keys.texts.empty()) return keys;
  if (first.contains("text")) {
    keys.texts = {"text"};
    return keys;
  }
  std::vector<std::string> all;
  for (const auto& item : first.items()) {
    all.push_back(item.key());
    if (item.value().is_string() && item.key() != keys.label && item.key() != keys.id)
      keys.texts.push_back(item.key());
  }
  if (keys.texts.empty())
    throw base::DataError(place + ": there is no key with a text",
                          "`text_columns` names the keys of the text; there are " +
                              io::excerpt(base::join(all, ", ")));
  return keys;
}

io::DelimitedFormat delimited_format(const bundle::TrainedModel& model, TextFormat format) {
  const config::TextConfig& trained = model.config.data.text;
  io::DelimitedFormat result;
  result.separator = format == TextFormat::tsv                               ? '\t'
                     : trained.separator == config::TextSeparator::semicolon ? ';'
                                                                             : ',';
  result.quotes = trained.quotes == config::Answer::automatic
                      ? result.separator != '\t'
                      : trained.quotes == config::Answer::yes;
  return result;
}

}  // namespace asap::predict
