#pragma once

#include "data/dataset.h"

namespace asap::data {

/// Reads files of image records, plain or .gz, from the folder data.path, or
/// ASAP_DATA_DIR/<data.name> when data.path is empty. data.images.layout decides which:
///   cifar10   data_batch_1.bin, data_batch_2.bin, ... and test_batch.bin; 3x32x32
///   cifar100  train.bin and test.bin; 3x32x32, two labels
///   rgb       a file whose name contains train, and one with test, that ends in .bin or .bin.gz;
///             3 x record_side x record_side
/// batches.meta.txt, fine_label_names.txt, coarse_label_names.txt or classes.txt name the classes
/// if they exist. DataError as append_image_records, and for missing files.
Dataset load_image_records_dataset(const config::DataConfig& config, Split split);

}  // namespace asap::data
