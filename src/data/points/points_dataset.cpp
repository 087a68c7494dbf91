#include "data/points/points_dataset.h"

#include "base/error.h"
#include "base/files.h"
#include "data/data_folder.h"
#include "data/points/point_files.h"
#include "data/points/point_set.h"
#include "io/npy.h"

namespace asap::data {
namespace fs = std::filesystem;
namespace {

constexpr const char* kPointsHint =
    "--set data.path=DIR or ASAP_DATA_DIR=DIR for files elsewhere, or --set data.kind=solids to "
    "run "
    "without files";

/// Sets and the file they came from.
struct Found {
  PointSets sets;
  std::string source;
};

Found read_sets(const fs::path& folder, Split part) {
  const std::string split = split_name(part);
  if (const auto path = find_plain_or_packed(folder, split + ".csv"))
    return {parse_delimited_points(base::read_file(*path), path->string()), path->string()};
  if (const fs::path path = folder / (split + "_points.npy"); fs::exists(path))
    return {point_sets_from_arrays(io::read_npy(path),
                                   io::read_npy(folder / (split + "_labels.npy")), path.string()),
            path.string()};
  if (const fs::path path = find_split_binary(folder, part); !path.empty())
    return {parse_modelnet(base::read_file(path), path.string()), path.string()};
  throw base::DataError("'" + folder.string() + "' has no " + split + ".csv, " + split +
                            "_points.npy or file named *" + split + "*.bin",
                        kPointsHint);
}

}  // namespace

Dataset load_points_dataset(const config::DataConfig& config, Split split) {
  const fs::path folder = find_data_folder(config, kPointsHint);
  Found found = read_sets(folder, split);
  for (std::size_t i = 0; i < found.sets.labels.size(); ++i)
    if (found.sets.labels[i] >= config.classes)
      throw base::DataError(found.source + ": label " + std::to_string(found.sets.labels[i]) +
                                " of set " + std::to_string(i) + " is outside 0 to " +
                                std::to_string(config.classes - 1),
                            "set data.classes to the number of classes in the file");
  Dataset dataset;
  dataset.name = found.source;
  dataset.place = folder.string();
  dataset.kind = ExampleKind::points;
  dataset.point_width = found.sets.width;
  dataset.offsets = std::move(found.sets.offsets);
  dataset.points = std::move(found.sets.points);
  dataset.labels = std::move(found.sets.labels);
  dataset.class_names = class_names_or_numbers(folder / "classes.txt", config.classes);
  return finish_point_sets(std::move(dataset), config.points);
}

}  // namespace asap::data
