#include "predict/point_input.h"

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "data/data_folder.h"
#include "data/points/point_files.h"
#include "data/points/point_set.h"
#include "io/npy.h"

namespace asap::predict {
namespace fs = std::filesystem;
namespace {

/// Sets of one file.
data::PointSets sets_of_array(const fs::path& path) {
  io::StoredTensor points = io::read_npy(path);
  if (points.shape.rank() == 2) points.shape = {1, points.shape[0], points.shape[1]};
  std::string name = path.filename().string();
  const std::size_t at = name.rfind("_points.npy");
  std::error_code ignored;
  if (at != std::string::npos) {
    const fs::path labels = path.parent_path() / name.replace(at, std::string::npos, "_labels.npy");
    if (fs::is_regular_file(labels, ignored))
      return data::point_sets_from_arrays(points, io::read_npy(labels), path.string());
  }
  const tensor::Tensor<std::int32_t> none(
      tensor::Shape{points.shape.rank() == 3 ? points.shape[0] : 0});
  data::PointSets sets =
      data::point_sets_from_arrays(points, io::StoredTensor::from(none), path.string());
  std::ranges::fill(sets.labels, data::kNotScored);
  return sets;
}

data::PointSets read_sets(const fs::path& path, int width) {
  std::string name = data::lower_case(path.filename().string());
  if (name.ends_with(".npy")) return sets_of_array(path);
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  if (name.ends_with(".bin")) return data::parse_modelnet(base::read_file(path), path.string());
  return data::parse_unlabelled_points(base::read_file(path), width, path.string());
}

void check_sets(const data::PointSets& sets, const std::string& source,
                const bundle::TrainedModel& model) {
  if (sets.width != model.config.model.point_width)
    throw base::DataError(source + ": points of " + std::to_string(sets.width) +
                          " coordinates, but the network reads points of " +
                          std::to_string(model.config.model.point_width));
  for (std::size_t i = 0; i < sets.labels.size(); ++i)
    if (sets.labels[i] >= std::ssize(model.class_names))
      throw base::DataError(source + ": the label " + std::to_string(sets.labels[i]) + " of set " +
                            std::to_string(i + 1) + " is no class of the network, which has " +
                            std::to_string(model.class_names.size()));
}

/// Sets as examples, centred and scaled as in the training.
Examples examples_of(data::PointSets sets, const std::string& source,
                     const bundle::TrainedModel& model) {
  check_sets(sets, source, model);
  Examples all = no_examples(model);
  all.dataset.name = source;
  all.dataset.offsets = std::move(sets.offsets);
  all.dataset.points = std::move(sets.points);
  all.dataset.labels.assign(sets.labels.size(), 0);
  all.dataset = data::finish_point_sets(std::move(all.dataset), model.config.data.points);
  all.ids = std::move(sets.names);
  if (all.ids.empty())
    for (std::size_t i = 0; i < sets.labels.size(); ++i) all.ids.push_back(std::to_string(i + 1));
  all.labels = std::move(sets.labels);
  return all;
}

/// A folder of files, each with one set.
class PointFolderReader final : public InputReader {
 public:
  PointFolderReader(std::vector<fs::path> files, const bundle::TrainedModel& model)
      : files_(std::move(files)), model_(model) {}

  bool read(std::int64_t most, Examples& out, Faults& faults) override {
    const std::size_t end = std::min(next_ + static_cast<std::size_t>(most), files_.size());
    for (; next_ < end; ++next_) try {
        const std::string source = files_[next_].string();
        Examples set = examples_of(sets_of_array(files_[next_]), source, model_);
        if (set.size() != 1)
          throw base::DataError(source + ": holds " + std::to_string(set.size()) + " sets",
                                "files in a folder hold one each: [points, width]");
        set.ids = {files_[next_].filename().string()};
        out.append(set, 0);
      } catch (const base::DataError& error) {
        faults.add(error);
      }
    return next_ < files_.size();
  }

  std::int64_t total() const override { return std::ssize(files_); }
  bool has_labels() const override { return false; }

 private:
  const std::vector<fs::path> files_;
  const bundle::TrainedModel& model_;
  std::size_t next_ = 0;
};

}  // namespace

std::unique_ptr<InputReader> open_points(const fs::path& path, const bundle::TrainedModel& model) {
  if (!data::is_folder(path)) {
    Examples all =
        examples_of(read_sets(path, model.config.model.point_width), path.string(), model);
    const bool labelled = std::ranges::any_of(
        all.labels, [](std::int32_t label) { return label != data::kNotScored; });
    return std::make_unique<StoredReader>(std::move(all), labelled);
  }
  std::vector<fs::path> files;
  for (const fs::path& entry : data::sorted_entries(path))
    if (data::lower_case(entry.extension().string()) == ".npy") files.push_back(entry);
  if (files.empty())
    throw base::DataError("'" + path.string() + "' has no .npy files in it",
                          "each holds one set: [points, width]; other files are named one by one");
  return std::make_unique<PointFolderReader>(std::move(files), model);
}

}  // namespace asap::predict
