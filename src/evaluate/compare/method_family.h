#pragma once

#include <string_view>

namespace asap::evaluate {

/// What a mark in a chart stands for. It decides the colour, which is the same in every chart,
/// report and figure.
enum class Family { teacher, softmax, truncated, zero_dual, compiled, other };

/// Of a method ("sinkhorn:3", "compiled@0") or of a form of attention ("sinkhorn_tiled").
Family family_of(std::string_view name);

/// The name that style sheets know it by: "teacher", "zero-dual".
const char* family_name(Family family);

/// Its colour on white paper, "#0072b2". The colours are Okabe and Ito's, which people with any
/// kind of colour blindness can tell apart.
const char* family_colour(Family family);

/// Its colour in a picture on a dark background.
const char* family_dark_colour(Family family);

/// All of them.
inline constexpr Family kFamilies[] = {Family::teacher,   Family::softmax,  Family::truncated,
                                       Family::zero_dual, Family::compiled, Family::other};

}  // namespace asap::evaluate
