#pragma once

#include "data/dataset.h"

namespace asap::data {

/// Reads folders of pictures, a folder for each class, below data.path or
/// ASAP_DATA_DIR/<data.name>:
///   train/CLASS/*.png, *.jpg or *.jpeg
///   test/CLASS/...
/// Classes are the folders of train/ in the order of their names (byte by byte), and so are files;
/// hidden files and those that end in anything else are passed over. Examples are the first image
/// of every class, the second of every class and so on, so that data.train_examples keeps some of
/// each. data.classes is not looked at. Images are prepared as data.images says (see
/// prepare_image).
///
/// DataError names the file or folder: a file that does not decode (see decode_image), images of
/// different sizes where no size is asked for, a folder of a class without images, a class in test/
/// that train/ lacks, fewer than two classes.
Dataset load_image_folders_dataset(const config::DataConfig& config, Split split);

}  // namespace asap::data
