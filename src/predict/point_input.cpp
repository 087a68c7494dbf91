#include "predict/point_input.h"

#include <algorithm>

#include "base/counted.h"
#include "base/error.h"
#include "base/files.h"
#include "data/data_folder.h"
#include "data/points/point_files.h"
#include "data/points/point_set.h"
#include "data/skipped_files.h"
#include "io/npy.h"

namespace asap::predict {
namespace fs = std::filesystem;
namespace {

/// The array of labels beside an array of points: x_labels.npy beside x_points.npy.
std::optional<fs::path> labels_beside(const fs::path& points) {
  std::string name = points.filename().string();
  const std::size_t at = name.rfind("_points.npy");
  if (at == std::string::npos) return std::nullopt;
  const fs::path labels = points.parent_path() / name.replace(at, std::string::npos, "_labels.npy");
  std::error_code ignored;
  return fs::is_regular_file(labels, ignored) ? std::optional(labels) : std::nullopt;
}

/// Sets of one file. Labels are read where they belong to sets, not to points.
data::PointSets sets_of_array(const fs::path& path, bool with_labels) {
  io::StoredTensor points = io::read_npy(path);
  if (points.shape.rank() == 2) points.shape = {1, points.shape[0], points.shape[1]};
  if (const auto labels = labels_beside(path); labels && with_labels)
    return data::point_sets_from_arrays(points, io::read_npy(*labels), path.string());
  const tensor::Tensor<std::int32_t> none(
      tensor::Shape{points.shape.rank() == 3 ? points.shape[0] : 0});
  data::PointSets sets =
      data::point_sets_from_arrays(points, io::StoredTensor::from(none), path.string());
  std::ranges::fill(sets.labels, data::kNotScored);
  return sets;
}

data::PointSets read_sets(const fs::path& path, int width, bool with_labels) {
  std::string name = data::lower_case(path.filename().string());
  if (name.ends_with(".npy")) return sets_of_array(path, with_labels);
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  if (name.ends_with(".bin")) return data::parse_modelnet(base::read_file(path), path.string());
  return data::parse_unlabelled_points(base::read_file(path), width, path.string());
}

void check_sets(const data::PointSets& sets, const std::string& source,
                const bundle::TrainedModel& model) {
  if (sets.width != model.config.model.point_width)
    throw base::DataError(source + ": points of " + base::counted(sets.width, "coordinate") +
                          ", but the network reads points of " +
                          std::to_string(model.config.model.point_width));
  for (std::size_t i = 0; i < sets.labels.size(); ++i)
    if (sets.labels[i] >= std::ssize(model.class_names))
      throw base::DataError(source + ": the label " + std::to_string(sets.labels[i]) + " of set " +
                            std::to_string(i + 1) + " is no class of the network, which has " +
                            std::to_string(model.class_names.size()));
}

/// The labels of points in the array beside them: [all points]; all kNotScored where there is none.
std::vector<std::int32_t> point_labels(const fs::path& path, std::int64_t count, int classes) {
  const auto file = labels_beside(path);
  if (!file) return std::vector<std::int32_t>(static_cast<std::size_t>(count), data::kNotScored);
  const io::StoredTensor stored = io::read_npy(*file);
  if (stored.shape.size() != count)
    throw base::DataError(file->string() + ": has " + base::counted(stored.shape.size(), "label") +
                              " for " + base::counted(count, "point"),
                          "the network labels points: [sets, points], -1 for points without label");
  std::vector<std::int64_t> values;
  if (stored.type == io::ElementType::int64)
    std::ranges::copy(stored.to<std::int64_t>().flat(), std::back_inserter(values));
  else if (stored.type == io::ElementType::int32)
    std::ranges::copy(stored.to<std::int32_t>().flat(), std::back_inserter(values));
  else
    throw base::DataError(file->string() + ": expected labels of type int32 or int64");
  std::vector<std::int32_t> labels;
  for (const std::int64_t label : values) {
    if (label < data::kNotScored || label >= classes)
      throw base::DataError(file->string() + ": the label " + std::to_string(label) + " of point " +
                            std::to_string(labels.size() + 1) +
                            " is no class of the network, which has " + std::to_string(classes));
    labels.push_back(static_cast<std::int32_t>(label));
  }
  return labels;
}

std::vector<std::int32_t> labels_of_points(const data::PointSets& sets, const fs::path& path,
                                           const bundle::TrainedModel& model) {
  if (std::ranges::any_of(sets.labels, [](std::int32_t label) { return label >= 0; }))
    throw base::DataError(path.string() + ": has one label for a set",
                          "the network labels points: x_labels.npy [sets, points] beside "
                          "x_points.npy holds labels; other files hold sets and coordinates");
  return point_labels(path, sets.offsets.back(), model.config.model.classes);
}

/// Sets as examples, centred and scaled as in the training.
Examples examples_of(data::PointSets sets, const fs::path& path,
                     const bundle::TrainedModel& model) {
  const bool labels_points = model.config.model.labels_tokens();
  check_sets(sets, path.string(), model);
  Examples all = no_examples(model);
  all.labels = labels_points ? labels_of_points(sets, path, model) : sets.labels;
  all.dataset.name = path.string();
  all.dataset.offsets = std::move(sets.offsets);
  all.dataset.points = std::move(sets.points);
  all.dataset.labels.assign(all.labels.size(), 0);
  // Points that are labelled are codes, not places.
  all.dataset = data::finish_point_sets(
      std::move(all.dataset),
      labels_points ? config::PointsConfig{.normalise = false} : model.config.data.points);
  all.ids = std::move(sets.names);
  if (all.ids.empty())
    for (std::size_t i = 0; i < sets.labels.size(); ++i) all.ids.push_back(std::to_string(i + 1));
  return all;
}

/// A folder of files, each with one set.
class PointFolderReader final : public InputReader {
 public:
  PointFolderReader(std::vector<fs::path> files, std::string skipped,
                    const bundle::TrainedModel& model)
      : files_(std::move(files)), skipped_(std::move(skipped)), model_(model) {}

  bool read(std::int64_t most, Examples& out, Faults& faults) override {
    const std::size_t end = std::min(next_ + static_cast<std::size_t>(most), files_.size());
    for (; next_ < end; ++next_) try {
        const std::string source = files_[next_].string();
        Examples set =
            examples_of(sets_of_array(files_[next_], !model_.config.model.labels_tokens()),
                        files_[next_], model_);
        if (set.size() != 1)
          throw base::DataError(source + ": holds " + base::counted(set.size(), "set"),
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
  std::string skipped() const override { return skipped_; }

 private:
  const std::vector<fs::path> files_;
  const std::string skipped_;
  const bundle::TrainedModel& model_;
  std::size_t next_ = 0;
};

}  // namespace

std::unique_ptr<InputReader> open_points(const fs::path& path, const bundle::TrainedModel& model) {
  if (!data::is_folder(path)) {
    Examples all = examples_of(
        read_sets(path, model.config.model.point_width, !model.config.model.labels_tokens()), path,
        model);
    const bool labelled = std::ranges::any_of(
        all.labels, [](std::int32_t label) { return label != data::kNotScored; });
    return std::make_unique<StoredReader>(std::move(all), labelled);
  }
  std::vector<fs::path> files;
  data::SkippedFiles others;
  for (const fs::path& entry : data::sorted_entries(path))
    if (data::lower_case(entry.extension().string()) == ".npy")
      files.push_back(entry);
    else
      others.add(entry);
  if (files.empty())
    throw base::DataError("'" + path.string() + "' has no .npy files in it" +
                              (others.empty() ? "" : "; it holds others: " + others.describe()),
                          "each holds one set: [points, width]; other files are named one by one");
  return std::make_unique<PointFolderReader>(std::move(files), others.describe(), model);
}

}  // namespace asap::predict
