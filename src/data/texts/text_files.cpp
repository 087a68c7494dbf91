#include "data/texts/text_files.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "data/data_folder.h"
#include "io/delimited.h"
#include "io/json.h"
#include "io/text_lines.h"

namespace asap::data {
namespace fs = std::filesystem;
namespace {

constexpr const char* kDelimitedEndings[] = {".csv", ".tsv", ".csv.gz", ".tsv.gz"};

/// The location of one part of the data.
struct Place {
  fs::path path;
  fs::path class_file;  // may not exist
};

bool is_number(std::string_view text) { return base::parse_number<int>(text).has_value(); }

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool is_delimited(const std::string& name) {
  return std::ranges::any_of(kDelimitedEndings,
                             [&](const char* end) { return name.ends_with(end); });
}

std::vector<fs::path> roots_of(const config::DataConfig& config) {
  if (!config.path.empty()) return {config.path};
  const auto directory = data_directory();
  if (!directory) return {};
  return {*directory / "text", *directory};
}

/// SPLIT.csv and the like, or one folder per class.
std::optional<Place> find_plain(const fs::path& folder, const std::string& split) {
  for (const char* ending : kDelimitedEndings)
    if (const fs::path path = folder / (split + ending); fs::exists(path))
      return Place{path, folder / "classes.txt"};
  if (is_folder(folder / split)) return Place{folder / split, {}};
  return std::nullopt;
}

/// NAME_SPLIT*.csv and the like.
std::optional<Place> find_named(const fs::path& folder, const std::string& name,
                                const std::string& split) {
  const std::vector<fs::path> entries = sorted_entries(folder);
  std::vector<std::string> prefixes{name + "_" + split};
  if (split == "train") prefixes.push_back(name + "_val");
  for (const std::string& prefix : prefixes)
    for (const fs::path& path : entries) {
      const std::string file = path.filename().string();
      if (!file.starts_with(prefix) || !is_delimited(file)) continue;
      const fs::path mapping = folder / (name + "_mapping.txt");
      return Place{path, fs::exists(mapping) ? mapping : folder / (name + "_classes.txt")};
    }
  return std::nullopt;
}

Place find_place(const config::DataConfig& config, Split split) {
  const std::string& file = split == Split::train ? config.text.train_file : config.text.test_file;
  if (!file.empty()) {
    const fs::path path = fs::path(config.path) / file;
    return {path, path.parent_path() / "classes.txt"};
  }
  for (const fs::path& root : roots_of(config)) {
    std::vector<fs::path> folders{root / config.name, root / (config.name + "_csv")};
    if (!config.path.empty()) folders.insert(folders.begin(), root);
    if (config.name == "imdb") folders.push_back(root / "aclImdb");
    for (const fs::path& folder : folders)
      if (const auto place = find_plain(folder, split_name(split))) return *place;
    for (const fs::path& folder : {root, root / config.name})
      if (const auto place = find_named(folder, config.name, split_name(split))) return *place;
  }
  throw base::DataError(
      "the " + std::string(split_name(split)) + " part of the texts '" + config.name +
          "' was not found" + (config.path.empty() ? "" : " in '" + config.path + "'"),
      "--set data.path=DIR or ASAP_DATA_DIR=DIR for the folder, or name the files with "
      "data.text.train_file and test_file; --set data.kind=majority runs without files");
}

bool has_text_ending(const fs::path& path) {
  std::string ending = path.extension().string();
  for (char& c : ending)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return ending == ".txt";
}

/// The texts of one class.
std::vector<fs::path> list_texts(const fs::path& folder) {
  std::vector<fs::path> files = sorted_entries(folder);
  const std::size_t all = files.size();
  std::erase_if(files, [](const fs::path& path) { return !has_text_ending(path); });
  if (files.empty())
    throw base::DataError(
        "'" + folder.string() + "' holds no texts: of " + std::to_string(all) +
            (all == 1 ? " file" : " files") + " none ends in .txt, and only such files are read",
        all == 0 ? "a class needs at least one text, or its folder must go"
                 : "rename the files of texts, or put all texts into train.csv and test.csv");
  return files;
}

/// The texts of a folder with one folder per class, in rotation over the classes, so that any first
/// part of them holds all.
LabelledTexts read_class_folders(const fs::path& folder) {
  LabelledTexts out;
  out.source = folder.string();
  std::vector<std::pair<std::string, std::vector<fs::path>>> classes;
  for (const fs::path& entry : sorted_entries(folder))
    if (is_folder(entry) && entry.filename() != "unsup")
      classes.emplace_back(entry.filename().string(), list_texts(entry));
  if (classes.empty())
    throw base::DataError("'" + folder.string() + "' has no folders of classes in it",
                          "expected " + (folder / "CLASS").string() + "/*.txt");
  bool more = true;
  for (std::size_t i = 0; more; ++i) {
    more = false;
    for (const auto& [label, files] : classes) {
      if (i >= files.size()) continue;
      more = true;
      const std::string bytes = base::read_file(files[i]);
      std::string text(io::DecodedText(bytes, files[i].string()).text());
      // Line breaks of the reviews as distributed.
      for (std::size_t at = 0; (at = text.find("<br />", at)) != std::string::npos;)
        text.replace(at, 6, " ");
      out.labels.push_back(label);
      out.texts.push_back(std::move(text));
      out.files.push_back(files[i].string());
    }
  }
  return out;
}

io::DelimitedFormat format_of(const config::TextConfig& config, const fs::path& path) {
  std::string name = path.filename().string();
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  const bool tabs_by_name = name.ends_with(".tsv") || name.ends_with(".txt");
  io::DelimitedFormat format;
  switch (config.separator) {
    case config::TextSeparator::automatic:
      format.separator = tabs_by_name ? '\t' : ',';
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
    for (std::int64_t i = has_header_ ? 1 : 0; i < rows_.rows(); ++i) {
      out.labels.emplace_back(base::trim(rows_.field(i, label)));
      if (out.labels.back().empty())
        throw base::DataError(
            source_ + ":" + std::to_string(rows_.line(i)) + ": the label is empty",
            "is data.text.label_column right?");
      std::string text;
      for (const std::int64_t k : columns) {
        if (k != columns.front()) text += ' ';
        text += rows_.field(i, k);
      }
      out.texts.push_back(std::move(text));
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
        !is_number(config_.label_column) || !std::ranges::all_of(config_.text_columns, is_number);
    if (named) return true;
    if (known_header) return !known_header->empty() && row(0) == *known_header;
    const std::int64_t label = column(config_.label_column, "label_column");
    const std::string_view first = base::trim(rows_.field(0, label));
    for (std::int64_t i = 1; i < rows_.rows(); ++i)
      if (base::trim(rows_.field(i, label)) == first) return false;
    return rows_.rows() > 1 && !is_number(first);
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
    const std::int64_t index = base::parse_number<int>(name).value_or(-1);
    if (index >= 0 && index < rows_.columns()) return index;
    throw base::DataError(
        source_ + ": there is no column '" + io::excerpt(name) + "' (data.text." + field + ")",
        has_header_ ? "it has " + io::excerpt(base::join(row(0), ", "))
                    : "it has " + std::to_string(rows_.columns()) +
                          " columns without names, counted from 0");
  }

  std::vector<std::int64_t> text_columns(std::int64_t label) const {
    std::vector<std::int64_t> columns;
    for (const std::string& name : config_.text_columns)
      columns.push_back(column(name, "text_columns"));
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

LabelledTexts read_delimited_texts(const config::TextConfig& config, const fs::path& path,
                                   const std::vector<std::string>* header) {
  const io::DelimitedRows rows = io::read_delimited(path, format_of(config, path));
  return LabelledTextReader(config, rows, path.string()).read(header);
}

}  // namespace

std::string LabelledTexts::place(std::int64_t text) const {
  const auto index = static_cast<std::size_t>(text);
  return files.empty() ? source + ":" + std::to_string(lines[index]) : files[index];
}

void LabelledTexts::keep_first(std::int64_t count) {
  if (count <= 0 || count >= size()) return;
  const auto kept = static_cast<std::size_t>(count);
  labels.resize(kept);
  texts.resize(kept);
  lines.resize(std::min(lines.size(), kept));
  files.resize(std::min(files.size(), kept));
}

LabelledTexts read_labelled_texts(const config::DataConfig& config, Split split,
                                  const std::vector<std::string>* header) {
  const Place place = find_place(config, split);
  LabelledTexts out = is_folder(place.path) ? read_class_folders(place.path)
                                            : read_delimited_texts(config.text, place.path, header);
  if (out.size() == 0) throw base::DataError(out.source + ": holds no texts");
  if (!place.class_file.empty() && fs::exists(place.class_file)) out.class_file = place.class_file;
  return out;
}

std::map<std::string, std::string> read_names_of_labels(const fs::path& path,
                                                        std::span<const std::string> labels) {
  const std::vector<std::string> lines = read_class_lines(path);
  const bool pairs = std::ranges::all_of(
      lines, [](const std::string& line) { return line.find('\t') != std::string::npos; });
  const bool numbers = std::ranges::all_of(labels, is_number);
  const std::size_t first = std::ranges::find(labels, "0") == labels.end() ? 1 : 0;
  std::map<std::string, std::string> names;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string_view line = lines[i];
    const std::size_t tab = line.find('\t');
    if (pairs)
      names[io::unquoted(base::trim(line.substr(0, tab)))] =
          io::unquoted(base::trim(line.substr(tab)));
    else
      names[numbers ? std::to_string(first + i) : lines[i]] = lines[i];
  }
  return names;
}

}  // namespace asap::data
