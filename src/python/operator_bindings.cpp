#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "python/arrays.h"
#include "python/bindings.h"

namespace nb = nanobind;

namespace asap::python {
namespace {

struct OperatorDeleter {
  void operator()(asap_operator* compiled) const { asap_operator_free(compiled); }
};

/// A compiled operator.
struct Operator {
  std::unique_ptr<asap_operator, OperatorDeleter> handle;
};

/// asap_fit, which owns its text.
struct FitSettings {
  int iterations, slices, calibration, held_out;
  double epsilon;
  std::optional<std::string> features;
};

asap_array c_array(const c_api::HeadArray<const float>& array) {
  return {array.data, array.example_stride, array.head_stride, array.token_stride};
}

asap_attention c_attention(const Heads<const float>& queries, const Heads<const float>& keys,
                           const Heads<const float>* values, const LiveTokens& live) {
  const c_api::HeadArrays<float> arrays = head_arrays<float>(queries, keys, values, live);
  return {.examples = arrays.examples,
          .heads = arrays.heads,
          .query_tokens = arrays.query_tokens,
          .key_tokens = arrays.key_tokens,
          .width = arrays.width,
          .value_width = arrays.value_width,
          .queries = c_array(arrays.queries),
          .keys = c_array(arrays.keys),
          .values = c_array(arrays.values),
          .query_lengths = arrays.query_lengths,
          .key_lengths = arrays.key_lengths,
          .query_mask = arrays.query_mask,
          .key_mask = arrays.key_mask,
          .scale = 0};
}

asap_fit c_fit(const FitSettings& settings) {
  return {.iterations = settings.iterations,
          .epsilon = settings.epsilon,
          .features = settings.features ? settings.features->c_str() : nullptr,
          .slices = settings.slices,
          .calibration = settings.calibration,
          .held_out = settings.held_out};
}

/// The layers of a network: queries, keys, values or None.
using Layer = std::tuple<Heads<const float>, Heads<const float>, std::optional<Heads<const float>>>;

Operator fit_operator(const FitSettings& settings, const std::vector<Layer>& layers,
                      const LiveTokens& live) {
  const nb::gil_scoped_release unlocked;
  std::vector<asap_attention> attention;
  for (const auto& [queries, keys, values] : layers)
    attention.push_back(c_attention(queries, keys, values ? &*values : nullptr, live));
  const asap_fit fit = c_fit(settings);
  asap_operator* compiled = nullptr;
  asap_error error;
  check(asap_operator_fit_layers(attention.data(), std::ssize(attention), &fit, &compiled, &error),
        error);
  return {std::unique_ptr<asap_operator, OperatorDeleter>(compiled)};
}

Operator load_operator(const std::string& folder) {
  const nb::gil_scoped_release unlocked;
  asap_operator* compiled = nullptr;
  asap_error error;
  check(asap_operator_load(folder.c_str(), &compiled, &error), error);
  return {std::unique_ptr<asap_operator, OperatorDeleter>(compiled)};
}

void save_operator(const Operator& self, const std::string& folder) {
  const nb::gil_scoped_release unlocked;
  asap_error error;
  check(asap_operator_save(self.handle.get(), folder.c_str(), &error), error);
}

void apply_operator(const Operator& self, std::int64_t layer, const Heads<const float>& queries,
                    const Heads<const float>& keys, const Heads<const float>& values,
                    const LiveTokens& live, const Heads<float>& output) {
  const nb::gil_scoped_release unlocked;
  const asap_attention attention = c_attention(queries, keys, &values, live);
  const c_api::HeadArray<float> to = head_array(output);
  const asap_result result{to.data, to.example_stride, to.head_stride, to.token_stride};
  asap_error error;
  check(asap_operator_apply(self.handle.get(), layer, &attention, &result, &error), error);
}

}  // namespace

void bind_operator(nb::module_& module) {
  nb::class_<FitSettings>(module, "FitSettings")
      .def(
          "__init__",
          [](FitSettings* settings, int iterations, double epsilon,
             std::optional<std::string> features, int slices, int calibration, int held_out) {
            new (settings) FitSettings{iterations, slices,  calibration,
                                       held_out,   epsilon, std::move(features)};
          },
          nb::arg("iterations"), nb::arg("epsilon"), nb::arg("features").none(), nb::arg("slices"),
          nb::arg("calibration"), nb::arg("held_out"));
  const auto plain = [](const char* name) { return nb::arg(name).noconvert(); };
  nb::class_<Operator>(module, "Operator")
      .def_static("fit", &fit_operator, nb::arg("settings"), plain("layers"), nb::arg("live"))
      .def_static("load", &load_operator, nb::arg("folder"))
      .def("save", &save_operator, nb::arg("folder"))
      .def_prop_ro("layers",
                   [](const Operator& self) { return asap_operator_layers(self.handle.get()); })
      .def("apply", &apply_operator, nb::arg("layer"), plain("q"), plain("k"), plain("v"),
           nb::arg("live"), plain("output"));
}

}  // namespace asap::python
