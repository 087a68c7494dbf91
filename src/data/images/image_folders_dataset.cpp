#include "data/images/image_folders_dataset.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "data/data_folder.h"
#include "data/images/image_ops.h"
#include "data/skipped_files.h"
#include "io/image_file.h"

namespace asap::data {
namespace fs = std::filesystem;
namespace {

constexpr const char* kLayoutHint =
    "expected DIR/train/CLASS/*.png (or .jpg, .jpeg) and DIR/test/CLASS/...; --set data.path=DIR "
    "names the folder";

std::string lower_ending(const fs::path& path) { return lower_case(path.extension().string()); }

/// What the folder holds that `wanted` accepts, in the order of names.
template <class Wanted>
std::vector<fs::path> list(const fs::path& folder, const Wanted& wanted, SkippedFiles& skipped) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error))
    if (!is_hidden(entry->path()) && wanted(entry->path()))
      found.push_back(entry->path());
    else
      skipped.add(entry->path());
  if (error)
    throw base::DataError("'" + folder.string() + "' cannot be read: " + error.message(),
                          kLayoutHint);
  std::ranges::sort(found, {}, [](const fs::path& path) { return path.filename().string(); });
  return found;
}

/// The class names: the folders in one part of the data.
std::vector<std::string> list_classes(const fs::path& part, SkippedFiles& skipped) {
  std::error_code ignored;
  if (!fs::is_directory(part, ignored))
    throw base::DataError("there is no folder '" + part.string() + "'", kLayoutHint);
  std::vector<std::string> names;
  for (const fs::path& path : list(
           part, [&](const fs::path& p) { return fs::is_directory(p, ignored); }, skipped))
    names.push_back(path.filename().string());
  if (names.empty())
    throw base::DataError("'" + part.string() + "' has no folders of classes in it", kLayoutHint);
  return names;
}

bool has_image_ending(const fs::path& path) {
  const std::string ending = lower_ending(path);
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg";
}

std::vector<fs::path> list_images(const fs::path& folder, SkippedFiles& skipped) {
  SkippedFiles others;
  std::vector<fs::path> files = list(folder, has_image_ending, others);
  if (files.empty())
    throw base::DataError(
        "'" + folder.string() + "' has no images (.png, .jpg, .jpeg) in it" +
            (others.empty() ? "" : "; it holds other files: " + others.describe()),
        others.empty() ? "a class needs at least one image, or its folder must go"
                       : "convert the images to PNG or JPEG, or remove the folder");
  skipped.add(others);
  return files;
}

/// Images of one size, one after the other.
class ImageCollector {
 public:
  explicit ImageCollector(const config::ImagesConfig& config) : config_(config) {}

  void add(const fs::path& file, int label) {
    const io::Image image = prepare_image(
        io::decode_image(base::read_file(file), config_.max_side, file.string()), config_);
    if (dataset.labels.empty()) {
      dataset.channels = image.channels;
      dataset.height = image.height;
      dataset.width = image.width;
      first_ = file.string();
    } else if (image.height != dataset.height || image.width != dataset.width) {
      throw base::DataError(
          file.string() + ": " + size(image.width, image.height) + " pixels, but '" + first_ +
              "' has " + size(dataset.width, dataset.height),
          "images of one size are needed; --set data.images.size=64 resizes them");
    }
    dataset.pixels.insert(dataset.pixels.end(), image.pixels.begin(), image.pixels.end());
    dataset.labels.push_back(label);
  }

  Dataset dataset;

 private:
  static std::string size(int width, int height) {
    return std::to_string(width) + "x" + std::to_string(height);
  }

  const config::ImagesConfig& config_;
  std::string first_;
};

/// A file to read, and its place among those of its class.
struct LabelledFile {
  fs::path path;
  int label;
  std::size_t place;
};

/// The files of one part of the data: the first of every class, the second of every class, ...
std::vector<LabelledFile> list_files(const fs::path& part, const fs::path& train,
                                     const std::vector<std::string>& classes,
                                     SkippedFiles& skipped) {
  std::vector<LabelledFile> files;
  for (const std::string& name : list_classes(part, skipped)) {
    const auto found = std::ranges::find(classes, name);
    if (found == classes.end())
      throw base::DataError(
          "'" + (part / name).string() + "' is a class that '" + train.string() + "' lacks",
          base::suggestion(name, classes));
    const std::vector<fs::path> images = list_images(part / name, skipped);
    for (std::size_t i = 0; i < images.size(); ++i)
      files.push_back({images[i], static_cast<int>(found - classes.begin()), i});
  }
  std::ranges::stable_sort(files, {}, &LabelledFile::place);
  return files;
}

}  // namespace

Dataset load_image_folders_dataset(const config::DataConfig& config, Split split) {
  const fs::path folder = find_data_folder(config, kLayoutHint);
  const fs::path train = folder / split_name(Split::train), part = folder / split_name(split);
  SkippedFiles skipped, counted_with_training;
  const std::vector<std::string> classes = list_classes(train, counted_with_training);
  if (classes.size() < 2)
    throw base::DataError("'" + train.string() + "' has one class only: '" + classes[0] + "'",
                          kLayoutHint);
  std::vector<LabelledFile> files = list_files(part, train, classes, skipped);
  const auto limit = static_cast<std::size_t>(split == Split::train ? config.train_examples
                                                                    : config.test_examples);
  if (limit > 0 && limit < files.size())
    files.erase(files.begin() + static_cast<std::ptrdiff_t>(limit), files.end());

  ImageCollector images(config.images);
  for (const LabelledFile& file : files) images.add(file.path, file.label);
  Dataset dataset = std::move(images.dataset);
  dataset.name = part.string();
  dataset.place = folder.string();
  dataset.class_names = classes;
  dataset.skipped = skipped.describe();
  dataset.fingerprint = dataset_fingerprint(dataset);
  return dataset;
}

}  // namespace asap::data
