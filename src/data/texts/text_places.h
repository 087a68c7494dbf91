#pragma once

#include <filesystem>
#include <string>

#include "data/dataset.h"

namespace asap::data {

/// Where one part of the texts lies.
struct TextPlace {
  std::filesystem::path path;        ///< a file of texts, or a folder with a folder per class
  std::filesystem::path class_file;  ///< file of class names; may not exist
};

/// Finds a part, see read_labelled_texts. With data.test_fraction both parts lie in one place, and
/// a test part beside it is refused. DataError lists the names that were tried.
TextPlace find_text_place(const config::DataConfig& config, Split split);

/// A warning when the test part is a copy of the training part, also a packed one; empty: no doubt.
/// DataError when both are the same file or folder. Parts that are not there are no error here.
std::string doubt_about_parts(const config::DataConfig& config);

/// How a file of texts is written, by its name in upper or lower case, with or without .gz: .jsonl,
/// .ndjson and .json are JSON lines; .tsv and .txt are separated by tabs.
bool holds_json_lines(const std::filesystem::path& path);
bool holds_tabs(const std::filesystem::path& path);

}  // namespace asap::data
