#include "data/skipped_files.h"

#include <doctest/doctest.h>

#include "data/dataset.h"
#include "support/temporary_folder.h"

using namespace asap::data;
using namespace asap::test;

TEST_CASE("skipped files are counted by their kind") {
  const TemporaryFolder folder;
  SkippedFiles skipped, more;
  CHECK(skipped.describe().empty());
  for (const char* name : {"a.webp", "b.WEBP", ".c.png", "README"}) skipped.add(folder / name);
  more.add(folder.path());
  skipped.add(more);
  CHECK(skipped.describe() == "5 (2 .webp, 1 folder, 1 hidden, 1 without an ending)");
  Dataset dataset;
  CHECK(describe_skipped(dataset).empty());
  dataset.name = "photos/train";
  dataset.skipped = more.describe();
  CHECK(describe_skipped(dataset) == "1 (1 folder) in photos/train: not .png, .jpg or .jpeg");
  dataset.kind = ExampleKind::tokens;
  CHECK(describe_skipped(dataset) == "1 (1 folder) in photos/train: not .txt");
}
