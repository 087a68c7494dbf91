#pragma once

#include <filesystem>
#include <vector>

#include "data/dataset.h"

namespace asap::data {

/// Folders in which the four files of an IDX data set are looked for, in this order: data.path
/// alone if given; else ASAP_DATA_DIR/NAME and ASAP_DATA_DIR if that variable is set, and
/// /usr/share/datasets/NAME, where Debian's data set packages install.
std::vector<std::filesystem::path> idx_search_path(const config::DataConfig& config);

/// Reads {train,t10k}-{images-idx3,labels-idx1}-ubyte, plain or .gz, from the first folder of the
/// search path that holds the images. DataError: files missing, damaged, of different lengths, or a
/// label that is not below data.classes.
Dataset load_idx_dataset(const config::DataConfig& config, Split split);

}  // namespace asap::data
