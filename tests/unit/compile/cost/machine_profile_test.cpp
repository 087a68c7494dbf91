#include "compile/cost/machine_profile.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include <doctest/doctest.h>

#include "base/files.h"
#include "support/temporary_folder.h"

namespace asap::test {
namespace {

std::vector<compile::OperatorForm> some_forms() {
  using compile::OperatorForm;
  std::vector<OperatorForm> forms = {OperatorForm::softmax(), OperatorForm::sinkhorn(1),
                                     OperatorForm::sinkhorn(9)};
  attention::DualFeatures features = attention::DualFeatures::none();
  features.tilt = true;
  for (int step = 0; step < 5; ++step) {
    if (step == 1) features.linear = true;
    if (step == 2) features.potential = true;
    if (step == 3) features.landmarks = 16;
    if (step == 4) features.log_sum_exp = true;
    for (const int corrections : {0, 2}) {
      features.corrections = corrections;
      for (const auto precision :
           {attention::ProductPrecision::single, attention::ProductPrecision::bfloat16})
        forms.push_back(
            {.features = features, .slices = 4, .teacher_iterations = 10, .precision = precision});
    }
  }
  return forms;
}

TEST_CASE("Costs are found again in times that they made") {
  compile::MachineProfile made = compile::shipped_profile("AVX3");
  for (std::size_t c = 0; c < made.nanoseconds.size(); ++c)
    made.nanoseconds[c] = 0.5 + static_cast<double>(c % 7);
  std::vector<compile::FormTiming> timings;
  for (const compile::OperatorForm& form : some_forms())
    for (const std::int64_t tokens : {16, 25, 64, 100, 333, 1024, 2000})
      for (const std::int64_t width : {16, 64})
        timings.push_back({form, {tokens, tokens, width, width}, 0});
  for (compile::FormTiming& timing : timings)
    timing.nanoseconds = made.time(timing.form, timing.shape);
  compile::MachineProfile fitted = made;
  fitted.nanoseconds = compile::fit_costs(timings, made.cache_bytes);
  for (const compile::FormTiming& timing : timings)
    CHECK(fitted.time(timing.form, timing.shape) ==
          doctest::Approx(timing.nanoseconds).epsilon(1e-3));
  CHECK(std::ranges::min(fitted.nanoseconds) >= 0);
}

TEST_CASE(
    "A shipped profile orders forms as they are, and an unknown processor gets that of AVX2") {
  for (const char* name : {"AVX3", "AVX2", "SCALAR"}) {
    const compile::MachineProfile profile = compile::shipped_profile(name);
    CHECK(profile.instruction_set == name);
    const compile::HeadShape shape{200, 200, 32, 32};
    double last = profile.time(compile::OperatorForm::softmax(), shape);
    for (const int iterations : {1, 2, 5, 10}) {
      const double time = profile.time(compile::OperatorForm::sinkhorn(iterations), shape);
      CHECK(time > last);
      last = time;
    }
  }
  CHECK(compile::shipped_profile("NEON").instruction_set == "AVX2");
  CHECK_FALSE(compile::shipped_profile("AVX2").has_bfloat16());
}

TEST_CASE("A profile reads back as it was written; what is wrong with one is named") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "profile.json";
  const compile::MachineProfile written = compile::shipped_profile("AVX3");
  io::write_json(file, compile::profile_json(written));
  const compile::MachineProfile read = compile::load_profile(file);
  CHECK(read.instruction_set == written.instruction_set);
  CHECK(read.cache_bytes == written.cache_bytes);
  CHECK(read.nanoseconds == written.nanoseconds);

  const auto complaint = [&](const std::function<void(io::Json&)>& damage) -> std::string {
    io::Json json = compile::profile_json(written);
    damage(json);
    io::write_json(file, json);
    try {
      compile::load_profile(file);
    } catch (const base::DataError& error) {
      const std::string text = error.what();
      return text.substr(text.find("profile.json"));
    }
    return "nothing";
  };
  CHECK(complaint([](io::Json&) {}) == "nothing");
  // Earlier versions had no such step.
  CHECK(complaint([](io::Json& json) { json["nanoseconds"].erase("dual"); }) == "nothing");
  CHECK(complaint([](io::Json& json) { json = io::Json::array(); }) ==
        "profile.json: not a machine profile");
  CHECK(complaint([](io::Json& json) { json["format"] = 3; }) ==
        "profile.json: not a machine profile");
  CHECK(complaint([](io::Json& json) { json["version"] = 2; }) ==
        "profile.json: field 'version': expected 1");
  CHECK(complaint([](io::Json& json) { json["nanoseconds"]["sweep"].erase("call"); }) ==
        "profile.json: field 'nanoseconds.sweep.call' is missing");
  CHECK(complaint([](io::Json& json) { json["nanoseconds"].erase("loop"); }) ==
        "profile.json: field 'nanoseconds.loop' is missing");
  CHECK(complaint([](io::Json& json) { json["nanoseconds"]["sweep"]["call"] = -1; }) ==
        "profile.json: field 'nanoseconds.sweep.call': expected a number of at least 0, got -1");
  CHECK(complaint([](io::Json& json) { json["cache_bytes"] = "much"; }) ==
        "profile.json: field 'cache_bytes': expected a number of at least 0, got \"much\"");
}

}  // namespace
}  // namespace asap::test
