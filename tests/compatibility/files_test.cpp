// Files that earlier versions wrote must stay readable: data/v<N> holds a run that was stopped
// in the middle and an operator compiled from it, as the version that introduced format N wrote
// them.
#include <filesystem>

#include <doctest/doctest.h>

#include "data/load/load_dataset.h"
#include "evaluate/report/comparison_run.h"
#include "infer/encoder.h"
#include "support/temporary_folder.h"
#include "train/trainer.h"
#include "train/validation.h"

using namespace asap::config;
using namespace asap::data;
using namespace asap::evaluate;
using namespace asap::infer;
using namespace asap::io;
using namespace asap::train;
using namespace asap::test;
namespace fs = std::filesystem;

namespace {

const fs::path kVersion1 = fs::path(ASAP_SOURCE_DIR) / "tests/compatibility/data/v1";

// Another processor adds in another order: rounding errors of float32, amplified by a few steps.
constexpr double kTolerance = 1e-3;

}  // namespace

TEST_CASE("a run of version 1 gives the loss it had when it was written") {
  const RunFolder run(kVersion1 / "run");
  const Encoder encoder = Encoder::load(run.path());
  const Dataset test_data = load_dataset(run.read_config().data, Split::test);
  const Json summary = read_json(run.summary());
  CHECK(test_model(encoder, test_data, 1).loss ==
        doctest::Approx(summary["test"]["loss"].get<double>()).epsilon(kTolerance));
}

TEST_CASE("a run of version 1 is continued and ends as it would have then") {
  const TemporaryFolder copy;
  fs::copy(kVersion1 / "run", copy / "run", fs::copy_options::recursive);
  const RunFolder run(copy / "run");
  const TrainConfig config = run.read_config();
  const Dataset train_data = load_dataset(config.data, Split::train);
  const Dataset test_data = load_dataset(config.data, Split::test);
  std::int64_t resumed_at = 0;
  TrainerOptions options;
  options.resume = true;
  options.on_resume = [&](std::int64_t step) { resumed_at = step; };
  const TrainingResult result = train(config, run, train_data, test_data, options);
  CHECK(resumed_at == 8);
  CHECK(result.finished);
  const Json expected = read_json(kVersion1 / "end.json");
  CHECK(result.test.loss ==
        doctest::Approx(expected["test_loss"].get<double>()).epsilon(kTolerance));
}

TEST_CASE("an operator of version 1 stands in for the attention it was compiled from") {
  CompareConfig config = default_compare_config(kVersion1 / "run", kVersion1 / "operator");
  config.methods = {"compiled"};
  const ReportData run = compare_run(kVersion1 / "run", kVersion1 / "operator", config, 1);
  REQUIRE(run.comparison.methods.size() == 1);
  const Json expected = read_json(kVersion1 / "end.json");
  CHECK(run.comparison.methods[0].plan_l1 ==
        doctest::Approx(expected["compiled_plan_l1"].get<double>()).epsilon(kTolerance));
}

TEST_CASE("operators of later versions stand in for the attention they were compiled from") {
  const fs::path data = kVersion1.parent_path();
  for (const char* version : {"v2", "v3"}) {
    const Json expected = read_json(data / version / "plan_l1.json");
    for (const auto& entry : expected.items()) {
      const fs::path folder = data / version / entry.key();
      INFO(folder.string());
      CompareConfig config = default_compare_config(kVersion1 / "run", folder);
      config.methods = {"compiled"};
      const ReportData run = compare_run(kVersion1 / "run", folder, config, 1);
      CHECK(run.comparison.methods[0].plan_l1 ==
            doctest::Approx(entry.value().get<double>()).epsilon(kTolerance));
    }
  }
}
