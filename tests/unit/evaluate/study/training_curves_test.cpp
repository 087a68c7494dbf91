#include "evaluate/study/training_curves.h"

#include <doctest/doctest.h>

#include "base/files.h"
#include "support/temporary_folder.h"

using namespace asap::base;
using namespace asap::evaluate;
using namespace asap::test;

TEST_CASE("training curves are averaged, and damaged lines are passed over") {
  const TemporaryFolder folder;
  std::string lines;
  for (int step = 1; step <= 8; ++step)
    lines += R"({"step":)" + std::to_string(step) + R"(,"loss":)" + std::to_string(step) +
             R"(,"accuracy":0.5})" + "\n";
  lines +=
      "[1, 2]\n{\"step\": \"x\", \"loss\": "
      "1}\n{\"step\":8,\"test_accuracy\":0.75,\"test_loss\":2}\n";
  lines += R"({"step":9,"los)";
  write_file_atomically(folder / "metrics.jsonl", lines);
  const TrainingCurves curves = read_training_curves(folder / "metrics.jsonl", 4);
  CHECK(curves.loss == std::vector<double>{1.5, 3.5, 5.5, 7.5});
  CHECK(curves.test_accuracy == std::vector<double>{0.75});
  CHECK(read_training_curves(folder / "nothing").empty());
}
