#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "python/arrays.h"
#include "python/bindings.h"

namespace nb = nanobind;

namespace asap::python {
namespace {

struct ModelDeleter {
  void operator()(asap_model* model) const { asap_model_free(model); }
};

/// A trained network.
struct Model {
  std::unique_ptr<asap_model, ModelDeleter> handle;
  asap_model_info info;
};

/// Where answers go: see asap_answers.
struct Answers {
  Array<float, 2> probabilities;
  Array<std::int32_t, 1> classes;
  std::optional<Array<float, 2>> embeddings;
  std::optional<Array<double, 1>> column_errors;

  asap_answers pointers() const {
    return {probabilities.data(), classes.data(), embeddings ? embeddings->data() : nullptr,
            column_errors ? column_errors->data() : nullptr};
  }
};

Model described(asap_model* loaded) {
  Model model{std::unique_ptr<asap_model, ModelDeleter>(loaded), {}};
  asap_error error;
  check(asap_model_describe(loaded, &model.info, &error), error);
  return model;
}

Model load_model(const std::string& path, const std::optional<std::string>& method) {
  const nb::gil_scoped_release unlocked;
  asap_model* loaded = nullptr;
  asap_error error;
  check(asap_model_load(path.c_str(), method ? method->c_str() : nullptr, &loaded, &error), error);
  return described(loaded);
}

std::vector<std::string> class_names(const Model& model) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < model.info.classes; ++i) {
    const char* name = asap_model_class_name(model.handle.get(), i);
    names.emplace_back(name ? name : std::to_string(i));
  }
  return names;
}

void predict_texts(const Model& model, const std::vector<std::string_view>& texts,
                   const Answers& answers) {
  const nb::gil_scoped_release unlocked;  // the strings stay alive in the caller's list
  std::vector<const char*> begins;
  std::vector<std::size_t> lengths;
  for (const std::string_view text : texts) {
    begins.push_back(text.data());
    lengths.push_back(text.size());
  }
  const asap_answers to = answers.pointers();
  asap_error error;
  check(asap_predict_texts(model.handle.get(), begins.data(), lengths.data(), texts.size(), &to,
                           &error),
        error);
}

void predict_images(const Model& model, const Array<const std::uint8_t, 4>& pixels,
                    const Answers& answers) {
  const nb::gil_scoped_release unlocked;
  const asap_answers to = answers.pointers();
  asap_error error;
  check(asap_predict_images(model.handle.get(), pixels.data(), pixels.shape(0), &to, &error),
        error);
}

void predict_points(const Model& model, const Array<const float, 2>& points,
                    const Array<const std::int64_t, 1>& lengths, const Answers& answers) {
  const nb::gil_scoped_release unlocked;
  const asap_answers to = answers.pointers();
  asap_error error;
  check(asap_predict_points(model.handle.get(), points.data(), lengths.data(), lengths.shape(0),
                            &to, &error),
        error);
}

const char* input_name(const Model& model) {
  switch (model.info.input) {
    case ASAP_TEXTS:
      return "texts";
    case ASAP_IMAGES:
      return "images";
    case ASAP_POINTS:
      break;
  }
  return "points";
}

}  // namespace

void bind_model(nb::module_& module) {
  const auto plain = [](const char* name) { return nb::arg(name).noconvert(); };
  nb::class_<Answers>(module, "Answers")
      .def(
          "__init__",
          [](Answers* answers, Array<float, 2> probabilities, Array<std::int32_t, 1> classes,
             std::optional<Array<float, 2>> embeddings,
             std::optional<Array<double, 1>> column_errors) {
            new (answers) Answers{std::move(probabilities), std::move(classes),
                                  std::move(embeddings), std::move(column_errors)};
          },
          plain("probabilities"), plain("classes"), plain("embeddings").none(),
          plain("column_errors").none());
  nb::class_<Model>(module, "Model")
      .def_static("load", &load_model, nb::arg("path"), nb::arg("method").none())
      .def_prop_ro("input", &input_name)
      .def_prop_ro("class_names", &class_names)
      .def_prop_ro("embedding_width", [](const Model& m) { return m.info.embedding_width; })
      .def_prop_ro(
          "image_shape",
          [](const Model& m) { return std::tuple(m.info.channels, m.info.height, m.info.width); })
      .def_prop_ro("point_width", [](const Model& m) { return m.info.point_width; })
      .def_prop_ro("method", [](const Model& m) { return m.info.method; })
      .def_prop_ro("fingerprint", [](const Model& m) { return m.info.fingerprint; })
      .def("predict_texts", &predict_texts, nb::arg("texts"), nb::arg("answers"))
      .def("predict_images", &predict_images, plain("pixels"), nb::arg("answers"))
      .def("predict_points", &predict_points, plain("points"), plain("lengths"),
           nb::arg("answers"));
}

}  // namespace asap::python
