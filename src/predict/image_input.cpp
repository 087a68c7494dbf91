#include "predict/image_input.h"

#include <algorithm>

#include "base/counted.h"
#include "base/error.h"
#include "base/files.h"
#include "base/parallel.h"
#include "data/data_folder.h"
#include "data/images/image_ops.h"
#include "data/skipped_files.h"
#include "io/idx.h"
#include "io/image_file.h"

namespace asap::predict {
namespace fs = std::filesystem;
namespace {

bool has_ending(const fs::path& path, std::initializer_list<std::string_view> endings) {
  const std::string ending = data::lower_case(path.extension().string());
  return std::ranges::find(endings, ending) != endings.end();
}

std::string size_text(int height, int width) {
  return std::to_string(width) + "x" + std::to_string(height);
}

/// How images become those of the network.
config::ImagesConfig image_config(const bundle::TrainedModel& model, const InputConfig& config) {
  const config::ModelConfig& network = model.config.model;
  config::ImagesConfig images = model.config.data.images;
  const bool prepared = model.config.data.kind == config::DataKind::image_folders ||
                        model.config.data.kind == config::DataKind::image_records;
  images.colours = network.channels == 1 ? config::ImageColours::grey : config::ImageColours::rgb;
  if (!prepared) images.size = 0;
  if (config.resize == Resize::none) return images;
  if (network.image_height != network.image_width)
    throw base::UsageError("`resize`: the network reads images of " +
                               size_text(network.image_height, network.image_width) + " pixels",
                           "only square images can be made; resize the files before");
  images.size = network.image_height;
  images.fit = config.resize == Resize::crop ? config::ImageFit::crop : config::ImageFit::stretch;
  return images;
}

/// PNG and JPEG files, and the labels that their folders are.
class ImageFileReader final : public InputReader {
 public:
  ImageFileReader(const bundle::TrainedModel& model, const InputConfig& config)
      : model_(model), config_(config), images_(image_config(model, config)) {}

  void add(const fs::path& file, const std::string& id, std::int32_t label) {
    files_.push_back({file, id, label});
    has_labels_ = has_labels_ || label != data::kNotScored;
  }

  bool read(std::int64_t most, Examples& out, Faults& faults) override {
    const auto count = std::min(static_cast<std::size_t>(most), files_.size() - next_);
    std::vector<io::Image> images(count);
    std::vector<std::optional<base::DataError>> errors(count);
    base::parallel_for(static_cast<std::int64_t>(count), config_.threads, [&](std::int64_t i, int) {
      const auto at = static_cast<std::size_t>(i);
      try {
        images[at] = decode(files_[next_ + at].path);
      } catch (const base::DataError& error) {
        errors[at] = error;
      }
    });
    for (std::size_t i = 0; i < count; ++i) {
      if (errors[i]) {
        faults.add(*errors[i]);
        continue;
      }
      const File& file = files_[next_ + i];
      out.dataset.pixels.insert(out.dataset.pixels.end(), images[i].pixels.begin(),
                                images[i].pixels.end());
      out.dataset.labels.push_back(0);
      out.ids.push_back(file.id);
      out.labels.push_back(file.label);
    }
    next_ += count;
    return next_ < files_.size();
  }

  std::int64_t total() const override { return std::ssize(files_); }
  bool has_labels() const override { return has_labels_; }
  std::string skipped() const override { return skipped_; }
  void skip(const data::SkippedFiles& others) { skipped_ = others.describe(); }

 private:
  struct File {
    fs::path path;
    std::string id;
    std::int32_t label;
  };

  io::Image decode(const fs::path& file) const {
    const config::ModelConfig& network = model_.config.model;
    io::Image image = data::prepare_image(
        io::decode_image(base::read_file(file), images_.max_side, file.string()), images_);
    if (image.channels != network.channels)
      throw base::DataError(file.string() + ": the network reads images of " +
                            base::counted(network.channels, "channel"));
    if (image.height != network.image_height || image.width != network.image_width)
      throw base::DataError(file.string() + ": " + size_text(image.height, image.width) +
                                " pixels, but the network reads " +
                                size_text(network.image_height, network.image_width),
                            "`resize` stretch or crop makes them so");
    return image;
  }

  const bundle::TrainedModel& model_;
  const InputConfig config_;
  const config::ImagesConfig images_;
  std::vector<File> files_;
  std::size_t next_ = 0;
  bool has_labels_ = false;
  std::string skipped_;
};

std::unique_ptr<InputReader> open_folder(const fs::path& folder, const bundle::TrainedModel& model,
                                         const InputConfig& config) {
  auto reader = std::make_unique<ImageFileReader>(model, config);
  data::SkippedFiles others;
  const auto add = [&](const fs::path& file, const std::string& id, std::int32_t label) {
    if (has_ending(file, {".png", ".jpg", ".jpeg"}))
      reader->add(file, id, label);
    else
      others.add(file);
  };
  for (const fs::path& entry : data::sorted_entries(folder)) {
    const std::string name = entry.filename().string();
    if (!data::is_folder(entry)) {
      add(entry, name, data::kNotScored);
      continue;
    }
    for (const fs::path& file : data::sorted_entries(entry))
      add(file, name + "/" + file.filename().string(), class_of(model, name));
  }
  if (reader->total() == 0)
    throw base::DataError(
        "'" + folder.string() + "' has no images (.png, .jpg, .jpeg) in it" +
            (others.empty() ? "" : "; it holds other files: " + others.describe()),
        "files in the format of MNIST are named one by one");
  reader->skip(others);
  return reader;
}

/// The labels beside a file of images in the format of MNIST; empty when there are none.
std::vector<std::int32_t> labels_beside(const fs::path& images, const bundle::TrainedModel& model) {
  std::string name = images.filename().string();
  const std::size_t at = name.find("images-idx3");
  if (at == std::string::npos) return {};
  name.replace(at, std::string_view("images-idx3").size(), "labels-idx1");
  const fs::path path = images.parent_path() / name;
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return {};
  const io::IdxArray labels = io::read_idx(path, 1);
  for (const std::uint8_t label : labels.values)
    if (label >= model.class_names.size())
      throw base::DataError(path.string() + ": the label " + std::to_string(label) +
                            " is no class of the network, which has " +
                            std::to_string(model.class_names.size()));
  return {labels.values.begin(), labels.values.end()};
}

/// The pixels of IDX images in the size of the configuration.
std::vector<std::uint8_t> resized_pixels(const io::IdxArray& images,
                                         const config::ImagesConfig& target, int threads) {
  const std::int64_t height = images.shape[1], width = images.shape[2];
  std::vector<io::Image> resized(static_cast<std::size_t>(images.shape[0]));
  base::parallel_for(std::ssize(resized), threads, [&](std::int64_t i, int) {
    const auto first = images.values.begin() + i * height * width;
    resized[static_cast<std::size_t>(i)] = data::prepare_image(
        {1, static_cast<int>(height), static_cast<int>(width), {first, first + height * width}},
        target);
  });
  std::vector<std::uint8_t> pixels;
  for (const io::Image& image : resized)
    pixels.insert(pixels.end(), image.pixels.begin(), image.pixels.end());
  return pixels;
}

std::unique_ptr<InputReader> open_idx(const fs::path& path, const bundle::TrainedModel& model,
                                      const InputConfig& config) {
  const config::ModelConfig& network = model.config.model;
  io::IdxArray images = io::read_idx(path, 3);
  const config::ImagesConfig target = image_config(model, config);
  const bool fits =
      images.shape[1] == network.image_height && images.shape[2] == network.image_width;
  const bool resizes = target.size > 0 && images.shape.size() > 0;
  if (network.channels != 1 || !(fits || resizes))
    throw base::DataError(path.string() + ": images of shape " + images.shape.text() +
                              " (count, height, width), but the network reads " +
                              size_text(network.image_height, network.image_width) + " with " +
                              base::counted(network.channels, "channel"),
                          network.channels == 1 ? "`resize` stretch or crop makes them so" : "");
  Examples all = no_examples(model);
  const auto count = static_cast<std::size_t>(images.shape[0]);
  all.dataset.pixels =
      fits ? std::move(images.values) : resized_pixels(images, target, config.threads);
  all.dataset.labels.assign(count, 0);
  all.labels = labels_beside(path, model);
  const bool labelled = !all.labels.empty();
  if (labelled && all.labels.size() != count)
    throw base::DataError(path.string() + ": " + base::counted(count, "image") + ", but " +
                          base::counted(all.labels.size(), "label") + " beside it");
  if (!labelled) all.labels.assign(count, data::kNotScored);
  for (std::size_t i = 0; i < count; ++i) all.ids.push_back(std::to_string(i + 1));
  return std::make_unique<StoredReader>(std::move(all), labelled);
}

}  // namespace

std::unique_ptr<InputReader> open_images(const fs::path& path, const bundle::TrainedModel& model,
                                         const InputConfig& config) {
  if (data::is_folder(path)) return open_folder(path, model, config);
  const fs::path inner = has_ending(path, {".gz"}) ? path.stem() : path.filename();
  if (inner.string().find("idx3") != std::string::npos || has_ending(inner, {".idx"}))
    return open_idx(path, model, config);
  auto reader = std::make_unique<ImageFileReader>(model, config);
  reader->add(path, path.filename().string(), data::kNotScored);
  return reader;
}

}  // namespace asap::predict
