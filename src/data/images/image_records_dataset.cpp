#include "data/images/image_records_dataset.h"

#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "data/data_folder.h"
#include "data/images/image_ops.h"
#include "io/image_records.h"

namespace asap::data {
namespace fs = std::filesystem;
namespace {

constexpr const char* kHint =
    "--set data.path=DIR or ASAP_DATA_DIR=DIR for files elsewhere, or --set data.kind=shapes to "
    "run without files";
constexpr int kCifarBatches = 5;

io::ImageRecordShape record_shape(const config::DataConfig& config) {
  io::ImageRecordShape shape;
  shape.classes = config.classes;
  if (config.images.layout == config::RecordLayout::cifar100) {
    shape.label_bytes = 2;
    shape.label_index = config.images.labels == config::Cifar100Labels::fine ? 1 : 0;
  }
  if (config.images.layout == config::RecordLayout::rgb)
    shape.height = shape.width = config.images.record_side;
  return shape;
}

/// Names of the files of one part of CIFAR.
std::vector<std::string> cifar_files(config::RecordLayout layout, Split split) {
  if (layout == config::RecordLayout::cifar100) return {std::string(split_name(split)) + ".bin"};
  if (split == Split::test) return {"test_batch.bin"};
  std::vector<std::string> names;
  for (int batch = 1; batch <= kCifarBatches; ++batch)
    names.push_back("data_batch_" + std::to_string(batch) + ".bin");
  return names;
}

[[noreturn]] void fail_missing(const fs::path& folder, const std::string& name) {
  throw base::DataError("'" + folder.string() + "' has no file " + name + " or " + name + ".gz",
                        kHint);
}

/// The file, plain or packed.
fs::path require_file(const fs::path& folder, const std::string& name) {
  if (const auto path = find_plain_or_packed(folder, name)) return *path;
  fail_missing(folder, name);
}

/// The files of one part of the data, in the order in which they are read.
std::vector<fs::path> find_files(const fs::path& folder, config::RecordLayout layout, Split split) {
  std::vector<fs::path> files;
  if (layout == config::RecordLayout::rgb) {
    files.push_back(find_split_binary(folder, split));
    if (files.back().empty()) fail_missing(folder, "*" + std::string(split_name(split)) + "*.bin");
  } else {
    for (const std::string& name : cifar_files(layout, split))
      files.push_back(require_file(folder, name));
  }
  return files;
}

std::vector<std::string> class_names(const fs::path& folder, const config::DataConfig& config) {
  switch (config.images.layout) {
    case config::RecordLayout::cifar10:
      return class_names_or_numbers(folder / "batches.meta.txt", config.classes);
    case config::RecordLayout::cifar100:
      return class_names_or_numbers(folder / (config.images.labels == config::Cifar100Labels::fine
                                                  ? "fine_label_names.txt"
                                                  : "coarse_label_names.txt"),
                                    config.classes);
    case config::RecordLayout::rgb:
      break;
  }
  std::error_code ignored;
  if (config.name == "cats_dogs" && config.classes == 2 &&
      !fs::exists(folder / "classes.txt", ignored))
    return {"cat", "dog"};
  return class_names_or_numbers(folder / "classes.txt", config.classes);
}

/// Converts every image to the size and colours of the configuration.
void prepare_images(Dataset& dataset, const config::ImagesConfig& config) {
  const bool same_size =
      config.size == 0 || (config.size == dataset.height && config.size == dataset.width);
  if (same_size && config.colours == config::ImageColours::rgb) return;
  std::vector<std::uint8_t> pixels;
  const auto size = static_cast<std::size_t>(dataset.image_size());
  io::Image image;
  for (std::size_t at = 0; at < dataset.pixels.size(); at += size) {
    const auto first = dataset.pixels.begin() + static_cast<std::ptrdiff_t>(at);
    image = prepare_image({dataset.channels,
                           dataset.height,
                           dataset.width,
                           {first, first + static_cast<std::ptrdiff_t>(size)}},
                          config);
    pixels.insert(pixels.end(), image.pixels.begin(), image.pixels.end());
  }
  dataset.pixels = std::move(pixels);
  dataset.channels = image.channels;
  dataset.height = image.height;
  dataset.width = image.width;
}

}  // namespace

Dataset load_image_records_dataset(const config::DataConfig& config, Split split) {
  const fs::path folder = find_data_folder(config, kHint);
  const io::ImageRecordShape shape = record_shape(config);
  io::ImageRecords records;
  for (const fs::path& path : find_files(folder, config.images.layout, split))
    io::append_image_records(base::read_file(path), shape, path.string(), records);
  Dataset dataset;
  dataset.name = (config.path.empty() ? config.name : folder.string()) + " " + split_name(split);
  dataset.place = folder.string();
  dataset.channels = shape.channels;
  dataset.height = shape.height;
  dataset.width = shape.width;
  dataset.labels = std::move(records.labels);
  dataset.pixels = std::move(records.pixels);
  dataset.class_names = class_names(folder, config);
  prepare_images(dataset, config.images);
  dataset.fingerprint = dataset_fingerprint(dataset);
  return dataset;
}

}  // namespace asap::data
