#include "compile/transport_artefact.h"

#include <limits>

#include <doctest/doctest.h>

#include "base/files.h"
#include "compile/operator_artefact.h"
#include "io/safetensors.h"
#include "support/expect_error.h"
#include "support/temporary_folder.h"

using namespace asap;
using namespace asap::test;

namespace {

compile::TransportArtefact numbered() {
  compile::TransportArtefact artefact{.map = {},
                                      .teacher_iterations = 100,
                                      .model_fingerprint = "abc",
                                      .calibration_source = "pairs.npz",
                                      .calibration_pairs = 7,
                                      .evidence = {{"pairs", 3}}};
  for (std::size_t p = 0; p < artefact.map.weights.size(); ++p)
    artefact.map.weights[p] = 1.0 / (3.0 + static_cast<double>(p));
  return artefact;
}

/// Writes an artefact, changes its tensors and description, and expects loading to complain.
template <class Damage>
void expect_refused(const Damage& damage, std::initializer_list<const char*> parts) {
  const TemporaryFolder folder;
  compile::save_transport(folder.path(), numbered());
  io::TensorFile tensors = io::read_safetensors(folder / "operator.safetensors");
  io::Json json = io::read_json(folder / "operator.json");
  const std::string before = io::serialise_safetensors(tensors);
  damage(tensors, json);
  const std::string after = io::serialise_safetensors(tensors);
  base::write_file_atomically(folder / "operator.safetensors", after);
  // Hidden from the fingerprint, so that the checks behind it are reached.
  if (after != before) json["tensors_fingerprint"] = base::content_fingerprint(after);
  io::write_json(folder / "operator.json", json);
  expect_error<base::DataError>([&] { compile::load_transport(folder.path()); }, parts);
}

}  // namespace

TEST_CASE("a compiled transport reads back to the last bit, and equal ones have equal bytes") {
  const TemporaryFolder one, two;
  const compile::TransportArtefact written = numbered();
  compile::save_transport(one.path(), written);
  compile::save_transport(two / "made", written);
  const compile::TransportArtefact read = compile::load_transport(one.path());
  CHECK(read.map.weights == written.map.weights);
  CHECK(read.teacher_iterations == 100);
  CHECK(read.model_fingerprint == "abc");
  CHECK(read.calibration_source == "pairs.npz");
  CHECK(read.calibration_pairs == 7);
  CHECK(read.evidence == written.evidence);
  for (const char* file : {"operator.safetensors", "operator.json"})
    CHECK(base::read_file(one / file) == base::read_file(two / "made" / file));
}

TEST_CASE("a damaged compiled transport is refused, naming file and field") {
  using File = io::TensorFile;
  using io::Json;
  expect_refused([](File&, Json& json) { json["version"] = 2; },
                 {"operator.json", "format version 2"});
  expect_refused([](File&, Json& json) { json["format"] = "x"; },
                 {"operator.json", "not the compiled operator of a matcher"});
  expect_refused([](File&, Json& json) { json.erase("teacher_iterations"); },
                 {"'teacher_iterations' is missing"});
  expect_refused([](File&, Json& json) { json["teacher_iterations"] = 0; }, {"teacher_iterations"});
  expect_refused([](File&, Json& json) { json["teacher_iterations"] = 10001; }, {"10001"});
  expect_refused([](File&, Json& json) { json["tensors_fingerprint"] = "0"; },
                 {"operator.safetensors", "does not belong"});
  expect_refused([](File& file, Json&) { file.tensors.clear(); }, {"weights"});
  expect_refused([](File& file, Json&) { file.put("weights", tensor::Tensor<double>({3})); },
                 {"operator.safetensors", "weights"});
  expect_refused(
      [](File& file, Json&) {
        tensor::Tensor<double> weights({attention::kTransportFeatures});
        weights[4] = std::numeric_limits<double>::quiet_NaN();
        file.put("weights", weights);
      },
      {"operator.safetensors", "weights", "not finite"});
}

TEST_CASE("weights that are not finite are not written") {
  const TemporaryFolder folder;
  compile::TransportArtefact artefact = numbered();
  artefact.map.weights[0] = std::numeric_limits<double>::infinity();
  expect_error<base::NumericalError>([&] { compile::save_transport(folder / "op", artefact); },
                                     {"not finite"});
  CHECK_FALSE(std::filesystem::exists(folder / "op"));
}

TEST_CASE("operators of matchers and of attention are not mistaken for each other") {
  const TemporaryFolder folder;
  compile::save_transport(folder.path(), numbered());
  expect_error<base::DataError>([&] { compile::load_operator(folder.path()); },
                                {"operator.json", "operator of a matcher"});
  io::write_json(folder / "operator.json", {{"format", "asap-operator"}, {"version", 4}});
  expect_error<base::DataError>([&] { compile::load_transport(folder.path()); },
                                {"operator.json", "network with attention"});
}

TEST_CASE("an operator is for the matcher that it was compiled for") {
  compile::require_compiled_for(numbered(), "op", "abc");
  expect_error<base::DataError>([] { compile::require_compiled_for(numbered(), "op", "abd"); },
                                {"op", "abc", "abd", "asap-compile"});
}
