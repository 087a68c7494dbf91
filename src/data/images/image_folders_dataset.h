#pragma once

#include "data/dataset.h"

namespace asap::data {

/// Reads folders of image files, one folder per class, in data.path or ASAP_DATA_DIR/<data.name>:
///   train/CLASS/*.png, *.jpg or *.jpeg
///   test/CLASS/...
/// The folders of train/ are the classes. Classes and files are sorted by name, byte by byte;
/// hidden files and other endings are skipped, and Dataset::skipped counts them. The examples are
/// the first image of every class, then the second of every class and so on, so that
/// data.train_examples keeps some of each. data.classes is not used. Images are prepared as
/// data.images says (see prepare_image).
///
/// DataError names the file or folder: a file that does not decode (see decode_image), images of
/// different sizes when data.images.size is 0, a folder of a class without images, a class in test/
/// that train/ lacks, fewer than two classes.
Dataset load_image_folders_dataset(const config::DataConfig& config, Split split);

}  // namespace asap::data
