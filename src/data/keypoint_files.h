#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace asap::data {

/// The files that a list names, separated by commas: each as it stands or, when there is none, in
/// ASAP_DATA_DIR. `field`: the configuration's or command's name of the list, for messages.
/// DataError when a file is nowhere.
std::vector<std::filesystem::path> find_keypoint_files(const std::string& list,
                                                       const std::string& field);

}  // namespace asap::data
