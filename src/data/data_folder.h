#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace asap::data {

/// ASAP_DATA_DIR, if it is set.
std::optional<std::filesystem::path> data_directory();

/// The file, plain or packed (NAME.gz), if it is in the folder.
std::optional<std::filesystem::path> find_plain_or_packed(const std::filesystem::path& folder,
                                                          const std::string& name);

/// What is in a folder, in the order of names; nothing when it cannot be read.
std::vector<std::filesystem::path> sorted_entries(const std::filesystem::path& folder);

/// The folder a data set of files lies in: data.path, or ASAP_DATA_DIR/<data.name> when that is
/// empty. DataError with `hint` when there is none.
std::filesystem::path find_data_folder(const config::DataConfig& config, const std::string& hint);

/// The first file, in the order of names, whose name contains train or test and ends in .bin or
/// .bin.gz; an empty path when there is none.
std::filesystem::path find_split_binary(const std::filesystem::path& folder, Split split);

/// "0", "1", ...
std::vector<std::string> numbered_classes(int classes);

/// Names of the classes from a file with one on each line; "0", "1", ... when it is not there or
/// has not as many as there are classes.
std::vector<std::string> read_class_names(const std::filesystem::path& path, int classes);

}  // namespace asap::data
