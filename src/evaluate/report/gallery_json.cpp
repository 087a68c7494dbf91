#include "evaluate/report/gallery_json.h"

#include <algorithm>
#include <cmath>

#include "base/base64.h"
#include "evaluate/draw/chart_json.h"

namespace asap::evaluate {
namespace {

using Bytes = std::vector<std::uint8_t>;

/// sqrt(value / most) in steps of 1 / `steps`.
int quantised(double value, double most, int steps) {
  return most > 0 ? static_cast<int>(std::lround(steps * std::sqrt(value / most))) : 0;
}

void add_plan(const tensor::Tensor<float>& plan, Bytes& bytes, io::Json& scales) {
  double most = 0;
  for (const float value : plan.flat()) most = std::max(most, double{value});
  for (const float value : plan.flat())
    bytes.push_back(static_cast<std::uint8_t>(quantised(std::max(value, 0.0f), most, 255)));
  scales.push_back(short_number(most));
}

void add_difference(const tensor::Tensor<float>& plan, const tensor::Tensor<float>& teacher,
                    Bytes& bytes, io::Json& scales) {
  double most = 0;
  for (std::int64_t i = 0; i < plan.size(); ++i)
    most = std::max(most, std::abs(double{plan[i]} - teacher[i]));
  for (std::int64_t i = 0; i < plan.size(); ++i) {
    const double difference = double{plan[i]} - teacher[i];
    const int steps = quantised(std::abs(difference), most, 127);
    bytes.push_back(static_cast<std::uint8_t>(difference < 0 ? 128 - steps : 128 + steps));
  }
  scales.push_back(short_number(most));
}

/// Mean over rows of the absolute differences: what the quantised plans cannot tell exactly.
double row_distance(const tensor::Tensor<float>& plan, const tensor::Tensor<float>& teacher,
                    int cell) {
  double total = 0;
  for (std::int64_t i = 0; i < plan.size(); ++i) total += std::abs(double{plan[i]} - teacher[i]);
  return cell * total / static_cast<double>(std::max<std::int64_t>(plan.shape()[0], 1));
}

/// All methods' plans of one layer and head.
io::Json head_json(const ShownExample& example, std::size_t head) {
  io::Json scales = io::Json::array(), distances = io::Json::array();
  Bytes bytes;
  const tensor::Tensor<float>& teacher = example.plans[0][head];
  add_plan(teacher, bytes, scales);
  for (std::size_t method = 1; method < example.plans.size(); ++method) {
    add_difference(example.plans[method][head], teacher, bytes, scales);
    distances.push_back(
        short_number(row_distance(example.plans[method][head], teacher, example.cell)));
  }
  return {{"scales", scales}, {"l1", distances}, {"data", base::base64(bytes)}};
}

/// Coordinates as bytes over the cube that holds the points.
io::Json points_json(const tensor::Tensor<float>& points) {
  const auto [low, high] = std::ranges::minmax(points.flat());
  Bytes bytes;
  for (const float value : points.flat())
    bytes.push_back(static_cast<std::uint8_t>(
        high > low ? std::lround(255 * (double{value} - low) / (double{high} - low)) : 0));
  return {{"width", points.shape()[1]}, {"data", base::base64(bytes)}};
}

io::Json input_json(const ShownInput& input) {
  io::Json json = {{"classToken", input.class_token}};
  if (!input.pixels.empty())
    json["image"] = {{"channels", input.channels},     {"width", input.width},
                     {"height", input.height},         {"down", input.patches_down},
                     {"across", input.patches_across}, {"data", base::base64(input.pixels)}};
  if (!input.tokens.empty()) json["tokens"] = input.tokens;
  if (input.points.size() > 0) json["points"] = points_json(input.points);
  return json;
}

}  // namespace

io::Json gallery_json(const PlanGallery& gallery) {
  io::Json examples = io::Json::array(), families = io::Json::array();
  for (const ShownExample& example : gallery.examples) {
    io::Json heads = io::Json::array();
    for (std::size_t head = 0; head < example.plans[0].size(); ++head)
      heads.push_back(head_json(example, head));
    examples.push_back({{"index", example.index},
                        {"truth", example.truth},
                        {"predictions", example.predictions},
                        {"input", input_json(example.input)},
                        {"tokens", example.tokens},
                        {"cell", example.cell},
                        {"side", example.plans[0][0].shape()[0]},
                        {"heads", heads}});
  }
  for (const std::string& method : gallery.methods)
    families.push_back(family_name(family_of(method)));
  return {
      {"methods", gallery.methods},   {"families", families},     {"truncated", gallery.truncated},
      {"compiled", gallery.compiled}, {"layers", gallery.layers}, {"heads", gallery.heads},
      {"examples", examples}};
}

}  // namespace asap::evaluate
