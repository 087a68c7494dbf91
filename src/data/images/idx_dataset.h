#pragma once

#include <filesystem>
#include <vector>

#include "data/dataset.h"

namespace asap::data {

/// The search path for the four files of an IDX data set: only data.path if it is set; else
/// ASAP_DATA_DIR/NAME and ASAP_DATA_DIR if that variable is set, then /usr/share/datasets/NAME,
/// where Debian's data set packages install.
std::vector<std::filesystem::path> idx_search_path(const config::DataConfig& config);

/// Reads {train,t10k}-{images-idx3,labels-idx1}-ubyte, plain or .gz, from the first folder of the
/// search path that holds the images. DataError when files are missing, damaged or of different
/// lengths, or a label is not below data.classes.
Dataset load_idx_dataset(const config::DataConfig& config, Split split);

}  // namespace asap::data
