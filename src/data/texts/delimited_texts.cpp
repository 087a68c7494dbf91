#include "data/texts/delimited_texts.h"

#include <algorithm>
#include <set>

#include "base/counted.h"
#include "base/error.h"
#include "base/format.h"
#include "base/text.h"
#include "data/texts/text_places.h"
#include "io/delimited.h"
#include "io/json.h"
#include "io/text_lines.h"

namespace asap::data {
namespace {

bool is_index(std::string_view text) { return base::parse_number<int>(text).has_value(); }

io::DelimitedFormat format_of(const config::TextConfig& config, const std::filesystem::path& path) {
  io::DelimitedFormat format;
  switch (config.separator) {
    case config::TextSeparator::automatic:
      format.separator = holds_tabs(path) ? '\t' : ',';
      break;
    case config::TextSeparator::comma:
      format.separator = ',';
      break;
    case config::TextSeparator::tab:
      format.separator = '\t';
      break;
    case config::TextSeparator::semicolon:
      format.separator = ';';
      break;
  }
  format.quotes = config.quotes == config::Answer::automatic ? format.separator != '\t'
                                                             : config.quotes == config::Answer::yes;
  return format;
}

/// A warning when fields of a file without quoting are in quotes, and reading them as quoted ones
/// would succeed: most rows have some, or some have doubled quotes in them, which only quoting
/// writes.
std::string doubt_about_quotes(const io::DelimitedRows& rows, const std::string& source) {
  std::int64_t quoted = 0;
  bool doubled = false;
  for (std::int64_t i = 0; i < rows.rows(); ++i) {
    bool some = false;
    for (std::int64_t k = 0; k < rows.columns(); ++k) {
      const std::string_view field = rows.field(i, k);
      if (field.find('"') == std::string_view::npos) continue;
      if (io::unquoted(field) == field) return "";
      some = true;
      doubled = doubled || (field.size() > 3 &&
                            field.substr(1, field.size() - 2).find('"') != std::string_view::npos);
    }
    quoted += some ? 1 : 0;
  }
  if (quoted == 0 || (2 * quoted < rows.rows() && !doubled)) return "";
  return base::format_count(quoted) + " of " + base::counted(rows.rows(), "row") + " of " + source +
         " have fields in quotes, which are read as part of labels and texts; without them: --set "
         "data.text.quotes=yes";
}

/// Whether data sets often call a column so.
bool is_usual_name(std::string name) {
  static constexpr std::string_view kUsual[] = {
      "label",     "labels", "class", "category", "target",  "text",    "texts",   "sentence",
      "sentiment", "review", "title", "body",     "content", "comment", "message", "tweet",
      "id",        "index",  "stars", "rating",   "mood",    "emotion"};
  for (char& c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return std::ranges::find(kUsual, name) != std::end(kUsual);
}

/// Picks labels and texts out of a delimited file.
class LabelledTextReader {
 public:
  LabelledTextReader(const config::TextConfig& config, const io::DelimitedRows& rows,
                     const std::string& source)
      : config_(config), rows_(rows), source_(source) {}

  LabelledTexts read(const std::vector<std::string>* known_header) {
    if (rows_.rows() == 0) throw base::DataError(source_ + ": holds no texts");
    has_header_ = first_row_names_columns(known_header);
    LabelledTexts out;
    out.source = source_;
    if (has_header_) out.header = row(0);
    const std::int64_t label = column(config_.label_column, "label_column");
    const std::vector<std::int64_t> columns = text_columns(label);
    require_pair(config_, std::ssize(columns), source_);
    out.columns = describe_columns(name_of(label), names_of(columns));
    out.likely_label = likely_label(label);
    for (std::int64_t i = has_header_ ? 1 : 0; i < rows_.rows(); ++i) {
      out.labels.emplace_back(base::trim(rows_.field(i, label)));
      if (out.labels.back().empty())
        throw base::DataError(
            source_ + ":" + std::to_string(rows_.line(i)) + ": the label is empty",
            "is data.text.label_column right?");
      std::vector<std::string> texts;
      for (const std::int64_t k : columns) texts.emplace_back(rows_.field(i, k));
      out.texts.push_back(
          join_columns(config_, texts, source_ + ":" + std::to_string(rows_.line(i))));
      out.lines.push_back(rows_.line(i));
    }
    return out;
  }

 private:
  std::vector<std::string> row(std::int64_t index) const {
    std::vector<std::string> fields;
    for (std::int64_t k = 0; k < rows_.columns(); ++k)
      fields.emplace_back(base::trim(rows_.field(index, k)));
    return fields;
  }

  bool first_row_names_columns(const std::vector<std::string>* known_header) const {
    if (config_.header != config::Answer::automatic) return config_.header == config::Answer::yes;
    const bool named =
        !is_index(config_.label_column) || !std::ranges::all_of(config_.text_columns, is_index);
    if (named) return true;
    if (known_header) return !known_header->empty() && row(0) == *known_header;
    const std::int64_t label = column(config_.label_column, "label_column");
    const std::string_view first = base::trim(rows_.field(0, label));
    std::set<std::string_view> others;
    for (std::int64_t i = 1; i < rows_.rows(); ++i)
      others.insert(base::trim(rows_.field(i, label)));
    if (rows_.rows() < 2 || others.contains(first) || is_index(first)) return false;
    // Where hardly any label repeats, that the first does not says nothing.
    return 2 * std::ssize(others) < rows_.rows() || first_row_looks_like_names();
  }

  /// A usual name among the fields of the first row, or a column of numbers that begins with none.
  bool first_row_looks_like_names() const {
    for (const std::string& name : row(0))
      if (is_usual_name(name)) return true;
    for (std::int64_t k = 0; k < rows_.columns(); ++k) {
      const auto is_number = [&](std::int64_t i) {
        return base::parse_number<double>(base::trim(rows_.field(i, k))).has_value();
      };
      std::int64_t i = 1;
      while (i < rows_.rows() && is_number(i)) ++i;
      if (i == rows_.rows() && !is_number(0)) return true;
    }
    return false;
  }

  /// The name of a column, or its number.
  std::string name_of(std::int64_t column) const {
    std::string name = has_header_ ? std::string(base::trim(rows_.field(0, column))) : "";
    return name.empty() ? std::to_string(column + 1) : name;
  }

  std::vector<std::string> names_of(const std::vector<std::int64_t>& columns) const {
    std::vector<std::string> names;
    for (const std::int64_t column : columns) names.push_back(name_of(column));
    return names;
  }

  /// What looks like labels among the columns that are not taken for them.
  std::string likely_label(std::int64_t label) const {
    std::vector<ColumnValues> columns;
    for (std::int64_t k = 0; k < rows_.columns(); ++k) {
      if (k == label) continue;
      columns.emplace_back(name_of(k));
      for (std::int64_t i = has_header_ ? 1 : 0; i < rows_.rows(); ++i)
        columns.back().add(rows_.field(i, k));
    }
    return likely_label_of(columns);
  }

  std::int64_t column(const std::string& name, const char* field) const {
    if (has_header_) {
      const std::vector<std::string> names = row(0);
      const auto found = std::ranges::find(names, name);
      if (std::ranges::count(names, name) > 1)
        throw base::DataError(source_ + ": two columns are called '" + io::excerpt(name) +
                                  "' (data.text." + field + ")",
                              "rename or remove one of them");
      if (found != names.end()) return found - names.begin();
    }
    const std::int64_t number = base::parse_number<int>(name).value_or(-1);
    if (number >= 1 && number <= rows_.columns()) return number - 1;
    // What runs of version 0.1 hold, which counted from 0: their default.
    if (number == 0 && std::string_view(field) == "label_column") return 0;
    throw base::DataError(
        source_ + ": there is no column '" + io::excerpt(name) + "' (data.text." + field + ")",
        has_header_ ? "it has " + io::excerpt(base::join(row(0), ", ")) + hint_on_quotes(name)
                    : "it has " + base::counted(rows_.columns(), "column") +
                          " without names, counted from 1");
  }

  std::string hint_on_quotes(const std::string& name) const {
    const std::vector<std::string> names = row(0);
    const bool quoted = std::ranges::any_of(
        names, [&](const std::string& other) { return io::unquoted(other) == name; });
    return quoted ? "; are names quoted? --set data.text.quotes=yes" : "";
  }

  std::vector<std::int64_t> text_columns(std::int64_t label) const {
    std::vector<std::int64_t> columns;
    for (const std::string& name : config_.text_columns)
      columns.push_back(column(name, "text_columns"));
    require_distinct(config_.text_columns, columns, source_ + ": data.text.text_columns");
    if (!columns.empty()) return columns;
    for (std::int64_t k = 0; k < rows_.columns(); ++k)
      if (k != label) columns.push_back(k);
    if (columns.empty())
      throw base::DataError(source_ + ": has one column, but label and text need one each",
                            "is the separator right (data.text.separator)?");
    return columns;
  }

  const config::TextConfig& config_;
  const io::DelimitedRows& rows_;
  const std::string& source_;
  bool has_header_ = false;
};

}  // namespace

LabelledTexts read_delimited_texts(const config::TextConfig& config,
                                   const std::filesystem::path& path,
                                   const std::vector<std::string>* header) {
  const io::DelimitedFormat format = format_of(config, path);
  const std::string source = path.string();
  const io::DelimitedRows rows = io::read_delimited(path, format);
  LabelledTexts texts = LabelledTextReader(config, rows, source).read(header);
  if (!format.quotes && config.quotes == config::Answer::automatic)
    texts.warning = doubt_about_quotes(rows, source);
  return texts;
}

}  // namespace asap::data
