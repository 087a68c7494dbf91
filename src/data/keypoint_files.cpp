#include "data/keypoint_files.h"

#include "base/error.h"
#include "base/text.h"
#include "data/data_folder.h"

namespace asap::data {
namespace fs = std::filesystem;

std::vector<fs::path> find_keypoint_files(const std::string& list, const std::string& field) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const std::string& part : base::split(list, ',')) {
    const fs::path file{std::string(base::trim(part))};
    const auto directory = data_directory();
    if (fs::is_regular_file(file, ignored))
      files.push_back(file);
    else if (directory && fs::is_regular_file(*directory / file, ignored))
      files.push_back(*directory / file);
    else
      throw base::DataError(field + ": there is no file '" + file.string() + "'",
                            "scripts/make_keypoints.py --out DIR makes train.npz, "
                            "test_moderate.npz and test_strong.npz from photographs");
  }
  return files;
}

}  // namespace asap::data
