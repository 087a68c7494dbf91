#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/files.h"
#include "c_api/asap.h"
#include "compile/compile_report.h"
#include "support/temporary_folder.h"
#include "unit/c_api/drawn_attention.h"

using namespace asap::test;

namespace {

constexpr asap_fit kFit{.iterations = 6,
                        .epsilon = 1.5,
                        .features = "lse,lse0,it:1",
                        .slices = 0,
                        .calibration = 24,
                        .held_out = 8};

/// Mean absolute difference.
double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(double{a[i]} - b[i]);
  return sum / static_cast<double>(a.size());
}

}  // namespace

TEST_CASE("an operator that is fitted on arrays stands in for Sinkhorn's iterations") {
  for (const bool masked : {false, true}) {
    DrawnAttention drawn({.interleaved = true, .masked = masked, .examples = 32});
    asap_operator* compiled = nullptr;
    asap_error error{};
    REQUIRE_MESSAGE(asap_operator_fit(&drawn.attention, &kFit, &compiled, &error) == ASAP_OK,
                    std::string(error.message));
    CHECK(asap_operator_layers(compiled) == 1);
    std::vector<float> fast(drawn.output_size()), slow(drawn.output_size()),
        softmax(drawn.output_size());
    const asap_result to_fast = drawn.result(fast), to_slow = drawn.result(slow),
                      to_softmax = drawn.result(softmax);
    REQUIRE(asap_operator_apply(compiled, 0, &drawn.attention, &to_fast, &error) == ASAP_OK);
    drawn.attention.scale = static_cast<float>(1 / (std::sqrt(5.0) * kFit.epsilon));
    REQUIRE(asap_sinkhorn_attention(&drawn.attention, 6, &to_slow, &error) == ASAP_OK);
    REQUIRE(asap_softmax_attention(&drawn.attention, &to_softmax, &error) == ASAP_OK);
    CHECK(distance(fast, slow) < 0.2 * distance(softmax, slow));
    asap_operator_free(compiled);
  }
}

TEST_CASE("the operator has the bytes of a fit on the same activations") {
  DrawnAttention drawn({.interleaved = true, .masked = false, .examples = 32});
  asap::compile::CompileConfig config;
  config.features = {"lse", "lse0", "it:1"};
  config.calibration = 24;
  config.held_out = 8;
  asap::compile::Activations activations;
  activations.examples = 32;
  activations.heads = 2;
  activations.iterations = 6;
  activations.source = "arrays";
  const auto tensor = [](const std::vector<float>& values, std::int64_t rows,
                         std::int64_t columns) {
    asap::tensor::Tensor<float> out({rows, columns});
    std::ranges::copy(values, out.data());
    return out;
  };
  // Interleaved, the arrays are [examples * tokens, heads * width] already.
  activations.layers.push_back({tensor(drawn.queries, 32 * 9, 10), tensor(drawn.keys, 32 * 13, 10),
                                tensor(drawn.values, 32 * 13, 8),
                                std::vector<double>(2, 1 / (std::sqrt(5.0) * kFit.epsilon))});
  const asap::compile::ResidentActivations source(activations);
  const TemporaryFolder folder;
  asap::compile::save_operator(
      folder / "expected", asap::compile::make_artefact(
                               asap::compile::compile_heads(source, config, 1), source.teacher()));
  asap_operator* compiled = nullptr;
  REQUIRE(asap_operator_fit(&drawn.attention, &kFit, &compiled, nullptr) == ASAP_OK);
  REQUIRE(asap_operator_save(compiled, (folder / "found").c_str(), nullptr) == ASAP_OK);
  CHECK(asap::base::read_file(folder / "found/operator.safetensors") ==
        asap::base::read_file(folder / "expected/operator.safetensors"));
  asap_operator* loaded = nullptr;
  REQUIRE(asap_operator_load((folder / "found").c_str(), &loaded, nullptr) == ASAP_OK);
  std::vector<float> one(drawn.output_size()), other(drawn.output_size());
  const asap_result to_one = drawn.result(one), to_other = drawn.result(other);
  CHECK(asap_operator_apply(compiled, 0, &drawn.attention, &to_one, nullptr) == ASAP_OK);
  CHECK(asap_operator_apply(loaded, 0, &drawn.attention, &to_other, nullptr) == ASAP_OK);
  CHECK(one == other);
  asap_operator_free(compiled);
  asap_operator_free(loaded);
}

TEST_CASE("an operator of several layers has in each layer the bytes of a fit on it alone") {
  DrawnAttention drawn({.interleaved = false, .masked = true, .examples = 32});
  std::vector<asap_attention> layers(2, drawn.attention);
  layers[1].keys = layers[0].queries;  // another layer, of as many tokens
  layers[0].key_tokens = layers[1].key_tokens = 9;
  layers[0].key_lengths = layers[1].key_lengths = nullptr;
  layers[0].key_mask = layers[1].key_mask = nullptr;
  asap_operator* both = nullptr;
  asap_error error{};
  REQUIRE_MESSAGE(asap_operator_fit_layers(layers.data(), 2, &kFit, &both, &error) == ASAP_OK,
                  std::string(error.message));
  CHECK(asap_operator_layers(both) == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    asap_operator* one = nullptr;
    REQUIRE(asap_operator_fit(&layers[i], &kFit, &one, nullptr) == ASAP_OK);
    std::vector<float> expected(drawn.output_size()), found(drawn.output_size());
    const asap_result to_expected = drawn.result(expected), to_found = drawn.result(found);
    CHECK(asap_operator_apply(one, 0, &layers[i], &to_expected, nullptr) == ASAP_OK);
    CHECK(asap_operator_apply(both, static_cast<int64_t>(i), &layers[i], &to_found, nullptr) ==
          ASAP_OK);
    CHECK(found == expected);
    asap_operator_free(one);
  }
  asap_operator_free(both);

  const auto refused = [&](const char* part) {
    asap_operator* none = nullptr;
    CHECK(asap_operator_fit_layers(layers.data(), 2, &kFit, &none, &error) == ASAP_USAGE);
    CHECK(none == nullptr);
    CHECK_MESSAGE(std::string(error.message).find(part) != std::string::npos,
                  std::string(error.message));
  };
  layers[1].key_tokens = 8;
  refused("layer 1 has other examples, heads, tokens or width");
  layers[1].key_tokens = 9;
  layers[1].values.data = nullptr;
  refused("some layers have values");
  layers[1] = layers[0];
  const std::vector<int64_t> lengths(32, 3);
  layers[1].key_lengths = lengths.data();
  refused("layer 1 has other numbers of live tokens");
  CHECK(asap_operator_fit_layers(layers.data(), 0, &kFit, &both, nullptr) == ASAP_USAGE);
}

TEST_CASE("fits and operators that cannot be are refused") {
  DrawnAttention drawn({.interleaved = true, .masked = false, .examples = 32});
  asap_operator* compiled = nullptr;
  const auto refused = [&](asap_status status, const char* part, const auto& change) {
    asap_fit fit = kFit;
    asap_attention attention = drawn.attention;
    change(fit, attention);
    asap_error error{};
    CHECK(asap_operator_fit(&attention, &fit, &compiled, &error) == status);
    CHECK_MESSAGE(std::string(error.message).find(part) != std::string::npos,
                  std::string(error.message));
    CHECK(compiled == nullptr);
  };
  refused(ASAP_USAGE, "features", [](asap_fit& f, asap_attention&) { f.features = "lsd"; });
  refused(ASAP_USAGE, "slices", [](asap_fit& f, asap_attention&) { f.slices = -1; });
  refused(ASAP_USAGE, "epsilon", [](asap_fit& f, asap_attention&) { f.epsilon = NAN; });
  refused(ASAP_DATA, "32 examples", [](asap_fit& f, asap_attention&) { f.held_out = 9; });
  refused(ASAP_USAGE, "no keys", [](asap_fit&, asap_attention& a) { a.key_tokens = 0; });
  CHECK(asap_operator_fit(&drawn.attention, nullptr, &compiled, nullptr) == ASAP_USAGE);
  CHECK(asap_operator_load("/nowhere", &compiled, nullptr) == ASAP_DATA);
  CHECK(asap_operator_save(nullptr, "/nowhere", nullptr) == ASAP_USAGE);
  CHECK(asap_operator_layers(nullptr) == 0);
  asap_operator_free(nullptr);
  REQUIRE(asap_operator_fit(&drawn.attention, &kFit, &compiled, nullptr) == ASAP_OK);
  std::vector<float> out(drawn.output_size());
  const asap_result result = drawn.result(out);
  CHECK(asap_operator_apply(compiled, 1, &drawn.attention, &result, nullptr) == ASAP_USAGE);
  drawn.attention.heads = 1;
  CHECK(asap_operator_apply(compiled, 0, &drawn.attention, &result, nullptr) == ASAP_USAGE);
  asap_operator_free(compiled);
}
