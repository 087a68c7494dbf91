#include "compile/activation_file/activation_names.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>

#include "base/text.h"
#include "io/json.h"

namespace asap::compile {
namespace {

constexpr std::array<std::string_view, 9> kBeside{"mask",         "query_mask",    "key_mask",
                                                  "lengths",      "query_lengths", "key_lengths",
                                                  "live_queries", "live_keys",     "heads"};

/// [role][spelling]
constexpr std::array<std::array<std::string_view, 3>, 3> kRoles{
    {{"q", "query", "queries"}, {"k", "key", "keys"}, {"v", "value", "values"}}};
constexpr std::array<std::string_view, 3> kRoleWords{"queries", "keys", "values"};
constexpr std::size_t kQueries = 0, kKeys = 1, kValues = 2;

constexpr int kAllHeads = -1;
constexpr const char* kNamesHint =
    "names are layer.L.q, layer.L.k and, if there are values, layer.L.v; layer.L.head.H.q and so "
    "on; or q, k and v of one layer; beside them mask, lengths, query_mask, key_mask, "
    "query_lengths, key_lengths or heads";

/// A name taken apart, with the words it was spelled with.
struct ActivationName {
  std::string layer_word, head_word;  ///< "layer" or "layers", ...; empty: not in the name
  int layer = 0;
  int head = kAllHeads;
  std::size_t role = kQueries;
  std::size_t spelling = 0;

  std::string text() const {
    return (layer_word.empty() ? "" : layer_word + "." + std::to_string(layer) + ".") +
           (head_word.empty() ? "" : head_word + "." + std::to_string(head) + ".") +
           std::string(kRoles[role][spelling]);
  }
};

/// Takes "WORD.NUMBER" from the front of the parts if they begin so.
bool take_number(std::vector<std::string>& parts, const std::string& word, std::string* spelled,
                 int* number) {
  if (parts.size() < 3 || (parts[0] != word && parts[0] != word + "s")) return false;
  const std::optional<int> value = base::parse_number<int>(parts[1]);
  if (!value || *value < 0 || std::to_string(*value) != parts[1]) return false;
  *spelled = parts[0];
  *number = *value;
  parts.erase(parts.begin(), parts.begin() + 2);
  return true;
}

std::optional<ActivationName> parse_name(const std::string& name) {
  std::vector<std::string> parts = base::split(name, '.');
  ActivationName out;
  take_number(parts, "layer", &out.layer_word, &out.layer);
  take_number(parts, "head", &out.head_word, &out.head);
  if (parts.size() != 1) return std::nullopt;
  for (std::size_t role = 0; role < kRoles.size(); ++role)
    for (std::size_t spelling = 0; spelling < kRoles[role].size(); ++spelling)
      if (parts[0] == kRoles[role][spelling]) {
        out.role = role;
        out.spelling = spelling;
        return out;
      }
  return std::nullopt;
}

/// Known names that look like this one: with the numbers that it has.
std::vector<std::string> known_names(const std::string& name) {
  std::vector<std::string> numbers;
  for (const std::string& part : base::split(name, '.'))
    if (base::parse_number<int>(part)) numbers.push_back(part);
  std::vector<std::string> known;
  for (const auto& role : kRoles)
    for (const std::string_view word : role) {
      const std::string text(word);
      known.push_back(text);
      if (numbers.empty()) continue;
      for (const std::string layer : {"layer.", "layers."}) {
        known.push_back(layer + numbers[0] + "." + text);
        if (numbers.size() > 1)
          known.push_back(layer + numbers[0] + ".head." + numbers[1] + "." + text);
      }
    }
  known.insert(known.end(), kBeside.begin(), kBeside.end());
  return known;
}

[[noreturn]] void refuse_unknown(const io::TensorFile& file, const std::string& name) {
  const std::string nearest = base::nearest_name(name, known_names(name));
  throw base::DataError(
      file.source + ": unknown tensor '" + io::excerpt(name) + "'" +
          (nearest.empty() ? "" : " (the nearest known name is '" + io::excerpt(nearest) + "')"),
      name.ends_with("padding_mask")
          ? "padding masks are true where there is no token: save key_mask, true where there is one"
          : kNamesHint);
}

[[noreturn]] void refuse_missing(const io::TensorFile& file, const ActivationName& missing,
                                 const std::string& present) {
  throw base::DataError(
      file.source + ": " + missing.text() + ": is missing, but there is " + present,
      "layers and heads are numbered 0, 1, 2, ... and each has queries and keys");
}

/// The names of one role in one layer by head.
using Heads = std::map<int, ActivationName>;
using Roles = std::array<Heads, 3>;

void insert(const io::TensorFile& file, const ActivationName& name, Heads& heads) {
  const auto [found, added] = heads.emplace(name.head, name);
  if (!added)
    throw base::DataError(file.source + ": '" + found->second.text() + "' and '" + name.text() +
                              "' are both the " + std::string(kRoleWords[name.role]) +
                              " of layer " + std::to_string(name.layer),
                          "keep one of them");
  if (heads.contains(kAllHeads) && heads.size() > 1)
    throw base::DataError(file.source + ": '" + heads.begin()->second.text() +
                              "' has all heads, and '" + heads.rbegin()->second.text() + "' one",
                          "keep the first, or those of single heads");
}

/// The names of one role, whose heads must be complete. `like`: another role of the layer.
RoleTensors complete(const io::TensorFile& file, const Heads& heads, const Heads& like) {
  RoleTensors out;
  out.per_head = !heads.contains(kAllHeads);
  for (const auto& [head, name] : heads) {
    if (out.per_head && head != static_cast<int>(out.names.size())) {
      ActivationName missing = name;
      missing.head = static_cast<int>(out.names.size());
      refuse_missing(file, missing, name.text());
    }
    out.names.push_back(name.text());
  }
  if (heads.contains(kAllHeads) == like.contains(kAllHeads) && like.size() > heads.size()) {
    ActivationName missing = heads.rbegin()->second;
    missing.head = static_cast<int>(heads.size());
    refuse_missing(file, missing, std::next(like.begin(), missing.head)->second.text());
  }
  return out;
}

LayerTensors sort_layer(const io::TensorFile& file, const Roles& roles) {
  for (const std::size_t role : {kQueries, kKeys}) {
    if (!roles[role].empty()) continue;
    const Heads& present = roles[kQueries].empty() && roles[kKeys].empty()
                               ? roles[kValues]
                               : roles[role == kQueries ? kKeys : kQueries];
    ActivationName missing = present.begin()->second;
    missing.role = role;
    refuse_missing(file, missing, present.begin()->second.text());
  }
  LayerTensors out;
  out.queries = complete(file, roles[kQueries], roles[kKeys]);
  out.keys = complete(file, roles[kKeys], roles[kQueries]);
  if (!roles[kValues].empty()) out.values = complete(file, roles[kValues], roles[kKeys]);
  return out;
}

}  // namespace

bool is_beside_activations(const std::string& name) {
  return std::ranges::find(kBeside, name) != kBeside.end();
}

std::vector<LayerTensors> sort_activations(const io::TensorFile& file) {
  std::map<int, Roles> layers;
  bool named = false, unnamed = false;  // by layer
  for (const auto& [name, tensor] : file.tensors) {
    if (is_beside_activations(name)) continue;
    const std::optional<ActivationName> parsed = parse_name(name);
    if (!parsed) refuse_unknown(file, name);
    (parsed->layer_word.empty() ? unnamed : named) = true;
    insert(file, *parsed, layers[parsed->layer][parsed->role]);
  }
  if (layers.empty())
    throw base::DataError(file.source + ": there are no queries and keys", kNamesHint);
  if (named && unnamed)
    throw base::DataError(file.source + ": some names say their layer, others do not", kNamesHint);
  std::vector<LayerTensors> out;
  for (const auto& [layer, roles] : layers) {
    if (layer != static_cast<int>(out.size())) {
      const auto filled = std::ranges::find_if(roles, [](const Heads& h) { return !h.empty(); });
      ActivationName missing = filled->begin()->second;
      missing.layer = static_cast<int>(out.size());
      refuse_missing(file, missing, filled->begin()->second.text());
    }
    out.push_back(sort_layer(file, roles));
  }
  return out;
}

void refuse_tensor(const io::TensorFile& file, const std::string& name, const std::string& what,
                   const std::string& hint) {
  throw base::DataError(file.source + ": " + name + ": " + what, hint);
}

}  // namespace asap::compile
