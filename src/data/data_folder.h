#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace asap::data {

/// ASAP_DATA_DIR, if it is set.
std::optional<std::filesystem::path> data_directory();

/// Whether this is a folder; false for what cannot be read.
bool is_folder(const std::filesystem::path& path);

/// ASCII letters in lower case, for names of files.
std::string lower_case(std::string name);

/// The entry of this name or, when there is none, the first that differs from it in upper and lower
/// case alone (train.CSV); hidden ones are left out.
std::optional<std::filesystem::path> find_entry(std::span<const std::filesystem::path> entries,
                                                const std::string& name);

/// The file NAME or NAME.gz, if the folder holds one of them, as find_entry.
std::optional<std::filesystem::path> find_plain_or_packed(const std::filesystem::path& folder,
                                                          const std::string& name);

/// The entries of a folder that are not hidden (.ipynb_checkpoints, ._1.txt), sorted by name; empty
/// when it cannot be read.
std::vector<std::filesystem::path> sorted_entries(const std::filesystem::path& folder);

/// The folder of a data set in files: data.path, or ASAP_DATA_DIR/<data.name> when data.path is
/// empty. DataError with `hint` when it does not exist.
std::filesystem::path find_data_folder(const config::DataConfig& config, const std::string& hint);

/// The first file, sorted by name, whose name contains train or test and ends in .bin or .bin.gz,
/// in upper or lower case; an empty path when there is none.
std::filesystem::path find_split_binary(const std::filesystem::path& folder, Split split);

/// "0", "1", ...
std::vector<std::string> numbered_classes(int classes);

/// The lines of a file of class names that are not empty, trimmed and without quotes around them.
/// DataError as DecodedText.
std::vector<std::string> read_class_lines(const std::filesystem::path& path);

/// The class names in a file with one name per line; "0", "1", ... when the file does not exist or
/// holds another number of names.
std::vector<std::string> class_names_or_numbers(const std::filesystem::path& path, int classes);

}  // namespace asap::data
