#include "data/images/idx_dataset.h"

#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "data/data_folder.h"
#include "io/idx.h"

namespace asap::data {
namespace fs = std::filesystem;
namespace {

constexpr const char* kInstalledDatasets = "/usr/share/datasets";

std::string missing_hint(const config::DataConfig& config) {
  const std::string package =
      config.name == "fashion-mnist" ? "apt-get install dataset-fashion-mnist, or " : "";
  return package +
         "--set data.path=DIR or ASAP_DATA_DIR=DIR for files elsewhere, or --set data.kind=shapes "
         "to "
         "run without files";
}

fs::path require_file(const fs::path& folder, const std::string& name,
                      const config::DataConfig& config) {
  if (const auto path = find_plain_or_packed(folder, name)) return *path;
  throw base::DataError("'" + folder.string() + "' has no " + name + " or " + name + ".gz",
                        missing_hint(config));
}

/// The folder to read from: the first that holds `file`.
fs::path find_folder(const config::DataConfig& config, const std::string& file) {
  std::vector<std::string> tried;
  for (const fs::path& folder : idx_search_path(config)) {
    if (find_plain_or_packed(folder, file)) return folder;
    tried.push_back("'" + folder.string() + "'");
  }
  throw base::DataError("the data set '" + config.name + "' was not found: no " + file + " or " +
                            file + ".gz in " + base::join(tried, ", "),
                        missing_hint(config));
}

std::vector<std::string> class_names(const config::DataConfig& config) {
  if (config.name == "fashion-mnist" && config.classes == 10)
    return {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
            "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
  return numbered_classes(config.classes);
}

std::vector<std::int32_t> read_labels(const fs::path& path, int classes) {
  const io::IdxArray array = io::read_idx(path, 1);
  for (std::size_t i = 0; i < array.values.size(); ++i)
    if (array.values[i] >= classes)
      throw base::DataError(path.string() + ": label " + std::to_string(array.values[i]) +
                                " of example " + std::to_string(i) + " is outside 0 to " +
                                std::to_string(classes - 1),
                            "set data.classes to the number of classes in the file");
  return {array.values.begin(), array.values.end()};
}

}  // namespace

std::vector<fs::path> idx_search_path(const config::DataConfig& config) {
  if (!config.path.empty()) return {config.path};
  std::vector<fs::path> folders;
  if (const auto directory = data_directory()) {
    folders.push_back(*directory / config.name);
    folders.push_back(*directory);
  }
  folders.push_back(fs::path(kInstalledDatasets) / config.name);
  return folders;
}

Dataset load_idx_dataset(const config::DataConfig& config, Split split) {
  const std::string prefix = split == Split::train ? "train" : "t10k";
  const std::string images_name = prefix + "-images-idx3-ubyte";
  const fs::path folder = find_folder(config, images_name);
  const fs::path images_path = require_file(folder, images_name, config);
  const fs::path labels_path = require_file(folder, prefix + "-labels-idx1-ubyte", config);

  io::IdxArray images = io::read_idx(images_path, 3);
  constexpr std::int64_t kMaxSide = 65536;  // as for model.image_height and image_width
  if (images.values.empty() || images.shape[1] > kMaxSide || images.shape[2] > kMaxSide)
    throw base::DataError(images_path.string() + ": images of shape " + images.shape.text() +
                          " (count, height, width) cannot be used");
  Dataset dataset;
  dataset.name = config.name + " " + split_name(split);
  dataset.place = folder.string();
  dataset.height = static_cast<int>(images.shape[1]);
  dataset.width = static_cast<int>(images.shape[2]);
  dataset.labels = read_labels(labels_path, config.classes);
  if (dataset.size() != images.shape[0])
    throw base::DataError(labels_path.string() + ": " + std::to_string(dataset.size()) +
                          " labels for the " + std::to_string(images.shape[0]) + " images of " +
                          images_path.string());
  dataset.pixels = std::move(images.values);
  dataset.class_names = class_names(config);
  dataset.fingerprint = dataset_fingerprint(dataset);
  return dataset;
}

}  // namespace asap::data
