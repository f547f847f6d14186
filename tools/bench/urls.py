"""The console's addresses and those of the peers, which the console itself does not have."""

from django.urls import include, path

from tools.bench.peers import indexed, stock

urlpatterns = [
    path("peers/stock/", stock.urls),
    path("peers/indexed/", indexed.urls),
    path("", include("lendconsole.urls")),
]
