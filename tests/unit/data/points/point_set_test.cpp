#include <doctest/doctest.h>

#include "base/files.h"
#include "data/load/load_dataset.h"
#include "support/temporary_folder.h"
#include "unit/data/points/small_points.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::data;
using namespace asap::test;

TEST_CASE("normalised sets have mean zero and radius one, coinciding points become zero") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "train.csv", "a,0,1,5\na,0,3,5\nb,1,9,9\n");
  DataConfig config = config_of(folder);
  config.points.normalise = true;
  const Dataset dataset = load_dataset(config, Split::train);
  CHECK(dataset.points == std::vector<float>{-1, 0, 1, 0, 0, 0});
}
