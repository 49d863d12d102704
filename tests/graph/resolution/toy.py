from hub.graph.resolution.models import MatchModel


def toy_models(crowded):
    models = {"person": MatchModel("person"), "organization": MatchModel("organization")}
    for model in models.values():
        model.settings.crowded = crowded
    return models
