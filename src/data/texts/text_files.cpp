#include "data/texts/text_files.h"

#include <algorithm>

#include "base/counted.h"
#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "data/data_folder.h"
#include "data/skipped_files.h"
#include "data/texts/delimited_texts.h"
#include "data/texts/json_texts.h"
#include "data/texts/text_places.h"
#include "io/text_lines.h"

namespace asap::data {
namespace fs = std::filesystem;
namespace {

bool is_number(std::string_view text) { return base::parse_number<int>(text).has_value(); }

bool has_text_ending(const fs::path& path) {
  return lower_case(path.extension().string()) == ".txt";
}

/// The texts of one class.
std::vector<fs::path> list_texts(const fs::path& folder, SkippedFiles& skipped) {
  std::error_code ignored;
  std::vector<fs::path> files;
  std::int64_t others = 0;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const fs::path& path = entry.path();
    if (!is_hidden(path) && has_text_ending(path)) {
      files.push_back(path);
      continue;
    }
    skipped.add(path);
    others += is_hidden(path) ? 0 : 1;
  }
  if (files.empty())
    throw base::DataError(
        "'" + folder.string() + "' holds no texts: of " + base::counted(others, "file") +
            " none ends in .txt, and only such files are read",
        others == 0 ? "a class needs at least one text, or its folder must go"
                    : "rename the files of texts, or put all texts into train.csv and test.csv");
  std::ranges::sort(files);
  return files;
}

/// The classes in a folder, and their files.
std::vector<std::pair<std::string, std::vector<fs::path>>> list_classes_of_texts(
    const fs::path& folder, SkippedFiles& skipped) {
  std::error_code ignored;
  std::vector<std::pair<std::string, std::vector<fs::path>>> classes;
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) entries.push_back(entry.path());
  std::ranges::sort(entries);
  for (const fs::path& entry : entries) {
    if (entry.filename() == "unsup") continue;
    if (is_hidden(entry) || !is_folder(entry))
      skipped.add(entry);
    else
      classes.emplace_back(entry.filename().string(), list_texts(entry, skipped));
  }
  if (classes.empty())
    throw base::DataError("'" + folder.string() + "' has no folders of classes in it",
                          "expected " + (folder / "CLASS").string() + "/*.txt");
  return classes;
}

/// The texts of a folder with one folder per class, in rotation over the classes, so that any first
/// part of them holds all.
LabelledTexts read_class_folders(const fs::path& folder) {
  LabelledTexts out;
  out.source = folder.string();
  out.columns = "a folder each";
  SkippedFiles skipped;
  const auto classes = list_classes_of_texts(folder, skipped);
  out.skipped = skipped.describe();
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

}  // namespace

LabelledTexts read_labelled_texts(const config::DataConfig& config, Split split,
                                  const std::vector<std::string>* header) {
  const TextPlace place = find_text_place(config, split);
  if (is_folder(place.path)) require_pair(config.text, 1, place.path.string());
  LabelledTexts out = is_folder(place.path) ? read_class_folders(place.path)
                      : holds_json_lines(place.path)
                          ? read_json_texts(config.text, place.path)
                          : read_delimited_texts(config.text, place.path, header);
  if (out.size() == 0) throw base::DataError(out.source + ": holds no texts");
  if (config.test_fraction > 0) out.keep_part(split, config.test_fraction, config.split_seed);
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
