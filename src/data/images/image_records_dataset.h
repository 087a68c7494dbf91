#pragma once

#include "data/dataset.h"

namespace asap::data {

/// Reads files of image records, plain or .gz, from the folder data.path, or
/// ASAP_DATA_DIR/<data.name> when that is empty. data.images.layout says which:
///   cifar10   data_batch_1.bin, data_batch_2.bin, ... and test_batch.bin; 3x32x32
///   cifar100  train.bin and test.bin; 3x32x32, two labels
///   rgb       a file whose name contains train, and one with test, that ends in .bin or .bin.gz;
///             3 x record_side x record_side
/// Classes are named by batches.meta.txt, fine_label_names.txt, coarse_label_names.txt or
/// classes.txt if they are there. DataError as append_image_records, and for files that are
/// missing.
Dataset load_image_records_dataset(const config::DataConfig& config, Split split);

}  // namespace asap::data
